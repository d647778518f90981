/* What is accepted is an envelope that a gateway decodes; what is refused says why. */
#include "proto/publish_request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct publish_request request;
    static struct envelope_room room;
    struct slice body = {(const char *)data, size};
    struct publish_fault fault;
    struct envelope back;

    if (publish_request_decode(body, &request, &fault)) {
        if (fault.detail[0] == '\0')
            abort();
        publish_request_finish(&request);
        return 0;
    }

    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    if (request.envelope.id.len == 0)
        request.envelope.id = SLICE("1");
    envelope_encode(&request.envelope, &wire);
    if (buf_status(&wire) || envelope_decode(buf_slice(&wire), &room, &back))
        abort();
    buf_finish(&wire);
    publish_request_finish(&request);
    return 0;
}
