/* A packet that is accepted is encoded to the bytes it came from. */
#include "proto/eio.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct buf out = {.max = size};
    struct eio_packet packet;

    if (eio_decode(text, &packet) == ST_OK) {
        eio_encode(&out, packet.type, packet.data);
        if (buf_status(&out) || !slice_equal(buf_slice(&out), text))
            abort();
    }
    buf_finish(&out);
    return 0;
}
