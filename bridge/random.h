/* Random bytes of the kernel (getrandom). Any thread. */
#ifndef BRIDGE_RANDOM_H
#define BRIDGE_RANDOM_H

#include "proto/siphash.h"

#include <stddef.h>

/* Ends the process when the kernel has none: nothing here is safe without them. */
void random_bytes(void *out, size_t n);
struct hash_key random_hash_key(void);
/* `chars` characters of base64url and a terminator: chars * 6 random bits. */
void random_text(char *out, size_t chars);

#endif
