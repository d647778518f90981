/* Random bytes of the kernel: see the header. */
#include "bridge/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n)
{
    unsigned char *at = out;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fputs("sidecast: the kernel gives no random bytes\n", stderr);
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}

struct hash_key random_hash_key(void)
{
    struct hash_key key;

    random_bytes(&key, sizeof key);
    return key;
}

/* `out` is full of random bytes. */
static void make_text(char *out, size_t chars)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < chars; i++)
        out[i] = alphabet[(unsigned char)out[i] & 63];
    out[chars] = '\0';
}

void random_text(char *out, size_t chars)
{
    random_bytes(out, chars);
    make_text(out, chars);
}

void random_stock_text(struct random_stock *stock, char *out, size_t chars)
{
    assert(chars <= sizeof stock->bytes);
    if (stock->left < chars) {
        random_bytes(stock->bytes, sizeof stock->bytes);
        stock->left = sizeof stock->bytes;
    }
    stock->left -= chars;
    memcpy(out, stock->bytes + stock->left, chars);
    make_text(out, chars);
}
