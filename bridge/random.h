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

/*
 * Bytes in stock: one call of the kernel for many names. Zeroed: empty. Not for secrets:
 * it holds the ones that come next. Its owner's thread only.
 */
struct random_stock {
    unsigned char bytes[512];
    size_t left;
};
/* As random_text; `chars` at most sizeof stock->bytes. */
void random_stock_text(struct random_stock *stock, char *out, size_t chars);

#endif
