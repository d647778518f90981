#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/gzip.h"

#include <zlib.h>

static void clients_get_what_they_prefer_and_nothing_they_refuse(void **state)
{
    static const struct {
        const char *accepts;
        enum gzip_coding coding;
    } rows[] = {
        {"gzip",                      GZIP_GZIP   },
        {"deflate",                   GZIP_DEFLATE},
        {"gzip, deflate, br",         GZIP_GZIP   },
        {"deflate, gzip",             GZIP_GZIP   },
        {"gzip;q=0.5, deflate",       GZIP_DEFLATE},
        {"gzip;q=0.5,deflate;q=0.25", GZIP_GZIP   },
        {"GZIP ; Q=1.0",              GZIP_GZIP   },
        {"*",                         GZIP_GZIP   },
        {"gzip;q=0, *",               GZIP_DEFLATE},
        {"*;q=0, deflate;q=0.001",    GZIP_DEFLATE},
        {"br",                        GZIP_NONE   },
        {"",                          GZIP_NONE   },
        {",,;",                       GZIP_NONE   },
        {"identity",                  GZIP_NONE   },
        {"gzip;q=0",                  GZIP_NONE   },
        {"gzip;q=0.000, deflate;q=0", GZIP_NONE   },
        {"gzip;q=nonsense",           GZIP_NONE   },
        {"gzipped",                   GZIP_NONE   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (gzip_choose(slice_of(rows[i].accepts)) != rows[i].coding)
            fail_msg("'%s' gives %s", rows[i].accepts,
                     gzip_coding_name(gzip_choose(slice_of(rows[i].accepts))));
}

static void inflate_all(const struct buf *packed, int window, char *out, size_t size,
                        size_t *len)
{
    z_stream stream = {.next_in = (Bytef *)packed->ptr, .avail_in = (uInt)packed->len};

    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)size;
    assert_int_equal(inflateInit2(&stream, window), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    *len = stream.total_out;
    inflateEnd(&stream);
}

static void what_was_compressed_comes_back_time_and_again(void **state)
{
    static const int windows[GZIP_CODINGS] = {0, 15 + 16, 15};
    static char text[100000], back[100000];
    struct gzip *gzip = gzip_create();
    struct buf packed = {.max = 1 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 7);
    for (int round = 0; round < 6; round++) {
        enum gzip_coding coding = round % 2 ? GZIP_DEFLATE : GZIP_GZIP;
        size_t size = sizeof text >> round, len;
        buf_clear(&packed);
        assert_true(gzip_compress(gzip, coding, (struct slice){text, size}, &packed));
        assert_true(packed.len < size / 4);
        inflate_all(&packed, windows[coding], back, sizeof back, &len);
        assert_int_equal(len, size);
        assert_memory_equal(back, text, size);
    }
    buf_finish(&packed);
    gzip_destroy(gzip);
}

static void no_room_is_no_answer(void **state)
{
    struct gzip *gzip = gzip_create();
    struct buf packed = {.max = 16};

    (void)state;
    assert_false(gzip_compress(gzip, GZIP_GZIP, SLICE("a text that is longer than that"),
                               &packed));
    buf_finish(&packed);
    gzip_destroy(gzip);
    gzip_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_get_what_they_prefer_and_nothing_they_refuse),
        cmocka_unit_test(what_was_compressed_comes_back_time_and_again),
        cmocka_unit_test(no_room_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
