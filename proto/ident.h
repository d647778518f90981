/*
 * Identifiers as text: ULIDs, base64url and hex. Time and randomness are arguments.
 */
#ifndef PROTO_IDENT_H
#define PROTO_IDENT_H

#include "proto/slice.h"

enum {
    IDENT_ULID_BYTES = 26,
    IDENT_ULID_RANDOM_BYTES = 10,
};

/* The last ULID that was given. Start with {0}; one per process and thread. */
struct ident_ulids {
    uint64_t ms;
    uint8_t random[IDENT_ULID_RANDOM_BYTES];
};

/*
 * Writes the next ULID, terminated, greater than the one before it: inside one
 * millisecond, and when the clock goes back, the random part counts on; otherwise it is
 * `fresh`.
 */
void ident_ulid_next(struct ident_ulids *ulids, int64_t now_ms,
                     const uint8_t fresh[IDENT_ULID_RANDOM_BYTES],
                     char out[IDENT_ULID_BYTES + 1]);

enum {
    IDENT_UUID_BYTES = 36,
    IDENT_UUID_RANDOM_BYTES = 16,
};

/* A UUID of version 4 (RFC 4122 §4.4), terminated. */
void ident_uuid(const uint8_t fresh[IDENT_UUID_RANDOM_BYTES],
                char out[IDENT_UUID_BYTES + 1]);

/* Characters that `n` bytes take, without a terminator. */
#define IDENT_BASE64URL_CHARS(n) (((n)*4 + 2) / 3)
#define IDENT_HEX_CHARS(n) ((n)*2)

/* Without padding (RFC 4648 §5). Terminated: `out` has one character more. Gives the
 * length. */
size_t ident_base64url_encode(const void *bytes, size_t n, char *out);

/*
 * Strict: no padding, no blanks, no left-over bits, so that one value has one spelling.
 * `out` has text.len * 3 / 4 bytes. False when malformed; `out` may then be partly
 * written.
 */
bool ident_base64url_decode(struct slice text, uint8_t *out, size_t *len);

/* Lower case, terminated. Gives the length. */
size_t ident_hex_encode(const void *bytes, size_t n, char *out);
/* Either case; exactly `n` bytes. */
bool ident_hex_decode(struct slice text, uint8_t *out, size_t n);

#endif
