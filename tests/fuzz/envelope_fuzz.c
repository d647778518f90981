/* What decodes as an envelope encodes to the same bytes. */
#include "proto/envelope.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct envelope_room room;
    struct slice bytes = {(const char *)data, size};
    struct envelope envelope;

    if (envelope_decode(bytes, &room, &envelope))
        return 0;

    struct buf again = {.max = size};
    envelope_encode(&envelope, &again);
    if (buf_status(&again) || !slice_equal(buf_slice(&again), bytes))
        abort();
    buf_finish(&again);
    return 0;
}
