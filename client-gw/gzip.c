/* Compressed answers: see the header. */
#include "client-gw/gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    LEVEL = 4, /* JSON shrinks hardly less than at 9, in a third of the time */
    WINDOW_BITS = 15,
    GZIP_FORMAT = 16, /* added to the window's bits */
    MEMORY_LEVEL = 8,
};

struct gzip {
    z_stream streams[GZIP_CODINGS];
    bool is_ready[GZIP_CODINGS];
};

static const char *const names[] = {
    [GZIP_NONE] = "identity",
    [GZIP_GZIP] = "gzip",
    [GZIP_DEFLATE] = "deflate",
};

const char *gzip_coding_name(enum gzip_coding coding)
{
    return names[coding];
}

/* ";q=0.25" → 250; what is no weight counts as none. */
static unsigned weight_of(struct slice parameters)
{
    unsigned weight = 0, unit = 1000;
    struct slice name, value;

    slice_cut(parameters, '=', &name, &value);
    value = slice_trim(value);
    if (!slice_is_nocase(slice_trim(name), "q") || value.len == 0)
        return 1000;
    for (size_t i = 0; i < value.len && unit > 0; i++) {
        if (value.ptr[i] == '.' && i == 1)
            continue;
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return 0;
        weight += (unsigned)(value.ptr[i] - '0') * unit;
        unit /= 10;
    }
    return weight < 1000 ? weight : 1000;
}

enum gzip_coding gzip_choose(struct slice accept_encoding)
{
    int weights[GZIP_CODINGS] = {0, -1, -1};
    int others = 0;

    while (accept_encoding.len > 0) {
        struct slice item, name, parameters;
        slice_cut(accept_encoding, ',', &item, &accept_encoding);
        slice_cut(item, ';', &name, &parameters);
        name = slice_trim(name);
        int weight = (int)weight_of(parameters);
        if (slice_is(name, "*"))
            others = weight;
        for (int coding = GZIP_GZIP; coding < GZIP_CODINGS; coding++)
            if (slice_is_nocase(name, names[coding]))
                weights[coding] = weight;
    }
    enum gzip_coding best = GZIP_NONE;
    for (int coding = GZIP_GZIP; coding < GZIP_CODINGS; coding++) {
        if (weights[coding] < 0)
            weights[coding] = others;
        if (weights[coding] > weights[best])
            best = (enum gzip_coding)coding;
    }
    return best;
}

struct gzip *gzip_create(void)
{
    return calloc(1, sizeof(struct gzip));
}

void gzip_destroy(struct gzip *gzip)
{
    if (!gzip)
        return;
    for (int coding = 0; coding < GZIP_CODINGS; coding++)
        if (gzip->is_ready[coding])
            deflateEnd(&gzip->streams[coding]);
    free(gzip);
}

/* Fresh for one answer; NULL: out of memory. */
static z_stream *stream_for(struct gzip *gzip, enum gzip_coding coding)
{
    z_stream *stream = &gzip->streams[coding];
    int window = WINDOW_BITS + (coding == GZIP_GZIP ? GZIP_FORMAT : 0);

    if (gzip->is_ready[coding]) {
        deflateReset(stream);
        return stream;
    }
    if (deflateInit2(stream, LEVEL, Z_DEFLATED, window, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    gzip->is_ready[coding] = true;
    return stream;
}

bool gzip_compress(struct gzip *gzip, enum gzip_coding coding, struct slice bytes,
                   struct buf *out)
{
    z_stream *stream = stream_for(gzip, coding);

    if (!stream)
        return false;
    size_t room = deflateBound(stream, bytes.len);
    char *at = buf_reserve(out, room);
    if (!at)
        return false;
    stream->next_in = (Bytef *)(uintptr_t)bytes.ptr;
    stream->avail_in = (uInt)bytes.len;
    stream->next_out = (Bytef *)at;
    stream->avail_out = (uInt)room;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return false;
    buf_grew(out, room - stream->avail_out);
    return true;
}
