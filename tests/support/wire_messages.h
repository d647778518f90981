/*
 * A decoder takes whole messages alone: neither a prefix of one, nor one with something
 * behind it, nor one that lies. Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_WIRE_MESSAGES_H
#define TESTS_SUPPORT_WIRE_MESSAGES_H

#include "proto/buf.h"

#include <stdlib.h>
#include <string.h>

struct wire_message {
    void (*add)(struct buf *out);
    enum status (*decode)(struct slice bytes);
};

/* What is read beyond the end is noticed: each prefix is in a block of its own. */
static inline void assert_only_whole(const struct wire_message *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf wire = {.max = 1000};
        kinds[i].add(&wire);
        for (size_t n = 0; n < wire.len; n++) {
            char *copy = malloc(n ? n : 1);
            memcpy(copy, wire.ptr, n);
            assert_int_equal(kinds[i].decode((struct slice){copy, n}), ST_BAD_PACKET);
            free(copy);
        }
        assert_int_equal(kinds[i].decode(buf_slice(&wire)), ST_OK);
        buf_add_byte(&wire, 0);
        assert_int_equal(kinds[i].decode(buf_slice(&wire)), ST_BAD_PACKET);
        buf_finish(&wire);
    }
}

/* One byte changed to another value, by its place in the message. */
struct wire_lie {
    struct wire_message message;
    size_t at;
    int byte;
};

static inline void assert_no_lie(const struct wire_lie *lies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf wire = {.max = 1000};
        lies[i].message.add(&wire);
        assert_true(lies[i].at < wire.len);
        wire.ptr[lies[i].at] = (char)lies[i].byte;
        if (lies[i].message.decode(buf_slice(&wire)) != ST_BAD_PACKET)
            fail_msg("lie %zu was taken", i);
        buf_finish(&wire);
    }
}

#endif
