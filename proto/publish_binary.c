/* Attachments in the payload of a publish: see publish_reading.h. */
#include "proto/base64.h"
#include "proto/binary.h"
#include "proto/json_pointer.h"
#include "proto/publish_reading.h"
#include "proto/sio_attachments.h"

#include <stdio.h>

static struct slice payload_of(const struct envelope *envelope)
{
    return envelope->data.len > 0 ? envelope->data : envelope->args;
}

void publish_point_into(struct publish_reading *reading, const char *at)
{
    const struct envelope *envelope = &reading->request->envelope;
    struct buf pointer = {.max = sizeof reading->fault->pointer - 1};

    buf_add_text(&pointer, envelope->data.len > 0 ? "/data" : "/args");
    json_pointer_add(payload_of(envelope), at, &pointer);
    /* One that is too long points to where it still fits. */
    snprintf(reading->fault->pointer, sizeof reading->fault->pointer, "%.*s",
             (int)pointer.len, pointer.ptr);
    buf_finish(&pointer);
}

static enum status refuse_base64(struct publish_reading *reading,
                                 const struct binary_spot *spot)
{
    publish_point_into(reading, spot->object.ptr);
    publish_advise(reading, "Encode the bytes with the alphabet of RFC 4648, section 4.");
    return publish_refuse(reading, ST_BAD_PAYLOAD, "{\"$binary\":\"<base64>\"}",
                          "the value of $binary is not base64");
}

static enum status refuse_payload(struct publish_reading *reading, enum status status,
                                  const char *bad)
{
    publish_point_into(reading, bad);
    if (status == ST_LIMIT) {
        publish_advise(reading, "Send several events, or one attachment that holds all.");
        return publish_refuse(reading, ST_BAD_PAYLOAD, "at most 10 attachments",
                              "the payload has too many attachments");
    }
    publish_advise(reading, "Rename the member: beside $binary, clients would take this "
                            "object for an attachment.");
    return publish_refuse(reading, ST_BAD_PAYLOAD,
                          "no object with \"_placeholder\":true beside $binary",
                          "an object looks like Socket.IO's own placeholder");
}

enum status publish_check_binary(struct publish_reading *reading)
{
    struct envelope *envelope = &reading->request->envelope;
    struct slice payload = payload_of(envelope);
    const char *bad;

    envelope->flags &= ~(unsigned)ENVELOPE_BINARY;
    if (binary_count(payload) == 0)
        return ST_OK;
    envelope->flags |= ENVELOPE_BINARY;
    enum status st = sio_may_attach(payload, &bad);
    return st ? refuse_payload(reading, st, bad) : ST_OK;
}

enum status publish_find_binary(struct publish_reading *reading)
{
    struct slice payload = payload_of(&reading->request->envelope);
    enum status st = publish_check_binary(reading);
    struct binary_spot spot;
    size_t bytes;

    for (size_t at = 0; !st && binary_next(payload, &at, &spot);)
        if (!base64_measure(publish_string(reading, spot.string), &bytes))
            st = refuse_base64(reading, &spot);
    return st;
}
