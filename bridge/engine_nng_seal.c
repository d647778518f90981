/* Seals: see the header. */
#include "bridge/engine_nng_seal.h"

#include "bridge/digest.h"
#include "bridge/random.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTION = 'Q',
    ANSWER = 'A',
    NEWS = 'E',
    PARTS = 4,
};

struct seal {
    char *secret;
    size_t secret_len;
    unsigned number;
    enum seal_side side;
    unsigned char last[SEAL_TAG_BYTES]; /* of the question under way */
    atomic_uint refused;                /* counted by the link's thread */
};

struct seal *seal_create(struct slice secret, unsigned number, enum seal_side side)
{
    struct seal *seal = calloc(1, sizeof *seal);
    char *copy = slice_dup(secret);

    if (!seal || !copy) {
        free(seal);
        free(copy);
        return NULL;
    }
    seal->secret = copy;
    seal->secret_len = secret.len;
    seal->number = number;
    seal->side = side;
    return seal;
}

void seal_destroy(struct seal *seal)
{
    if (!seal)
        return;
    explicit_bzero(seal->secret, seal->secret_len);
    free(seal->secret);
    free(seal);
}

/* What it is comes first, then (of an answer) the question's tag, then all the bytes. */
static void make_tag(const struct seal *seal, char what, struct slice bytes,
                     struct slice nonce, unsigned char tag[SEAL_TAG_BYTES])
{
    unsigned char whole[DIGEST_SHA256_BYTES];
    char opening[3] = {1, (char)seal->number, what};
    const struct slice parts[PARTS] = {
        {opening,                  sizeof opening                     },
        {(const char *)seal->last, what == ANSWER ? SEAL_TAG_BYTES : 0},
        bytes,
        nonce,
    };

    digest_hmac_sha256((struct slice){seal->secret, seal->secret_len}, parts, PARTS,
                       whole);
    memcpy(tag, whole, SEAL_TAG_BYTES);
}

size_t seal_make(struct seal *seal, struct slice bytes, unsigned char out[SEAL_MAX_BYTES])
{
    if (seal->side != SEAL_ASKS) {
        make_tag(seal, seal->side == SEAL_TELLS ? NEWS : ANSWER, bytes, (struct slice){0},
                 out);
        return SEAL_TAG_BYTES;
    }
    random_bytes(out, SEAL_NONCE_BYTES);
    make_tag(seal, QUESTION, bytes, (struct slice){(char *)out, SEAL_NONCE_BYTES},
             out + SEAL_NONCE_BYTES);
    memcpy(seal->last, out + SEAL_NONCE_BYTES, SEAL_TAG_BYTES);
    return SEAL_MAX_BYTES;
}

static bool is_ours(struct seal *seal, struct slice *message)
{
    static const char kinds[] = {
        [SEAL_TELLS] = NEWS, [SEAL_ASKS] = ANSWER, [SEAL_ANSWERS] = QUESTION};
    unsigned char tag[SEAL_TAG_BYTES];
    size_t nonce_len = seal->side == SEAL_ANSWERS ? SEAL_NONCE_BYTES : 0;
    struct slice bytes = *message;

    if (bytes.len < SEAL_TAG_BYTES + nonce_len)
        return false;
    bytes.len -= SEAL_TAG_BYTES + nonce_len;
    const char *nonce = bytes.ptr + bytes.len;
    const char *theirs = nonce + nonce_len;
    make_tag(seal, kinds[seal->side], bytes, (struct slice){nonce, nonce_len}, tag);
    if (!slice_equal_secret((struct slice){(char *)tag, SEAL_TAG_BYTES},
                            (struct slice){theirs, SEAL_TAG_BYTES}))
        return false;
    if (seal->side == SEAL_ANSWERS)
        memcpy(seal->last, tag, SEAL_TAG_BYTES);
    *message = bytes;
    return true;
}

bool seal_open(struct seal *seal, struct slice *message)
{
    if (is_ours(seal, message))
        return true;
    atomic_fetch_add_explicit(&seal->refused, 1, memory_order_relaxed);
    return false;
}

unsigned seal_refused(const struct seal *seal)
{
    return atomic_load_explicit(&seal->refused, memory_order_relaxed);
}
