/* An event that is accepted is encoded to one with the same name and arguments. */
#include "proto/sio.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct sio_packet *packet)
{
    struct slice name;
    struct slice args;
    struct slice name_again;
    struct slice args_again;
    struct sio_packet again;
    struct buf array = {.max = packet->json.len + 2};
    struct buf wire = {.max = packet->nsp.len + packet->json.len + 16};

    if (sio_event_decode(packet->json, &name, &args))
        abort();
    buf_add_byte(&array, '[');
    buf_add(&array, args);
    buf_add_byte(&array, ']');
    sio_encode_event(&wire, packet->nsp, name, (struct slice){0}, buf_slice(&array),
                     (struct slice){0});
    if (buf_status(&array) || buf_status(&wire))
        abort();

    struct slice text = slice_from(buf_slice(&wire), 1);
    if (sio_decode(text, &json_limits_default, &again) || again.type != SIO_EVENT ||
        sio_event_decode(again.json, &name_again, &args_again))
        abort();
    if (!slice_equal(packet->nsp, again.nsp) || !slice_equal(name, name_again) ||
        !slice_equal(args, args_again))
        abort();
    buf_finish(&array);
    buf_finish(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct sio_packet packet;

    if (sio_decode(text, &json_limits_default, &packet))
        return 0;
    if (packet.type == SIO_EVENT || packet.type == SIO_BINARY_EVENT)
        check_round_trip(&packet);
    return 0;
}
