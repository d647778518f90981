/* Layout: u8 version, u8 online, u64 seen. See the header. */
#include "proto/presence_note.h"

#include "proto/byte_io.h"

#include <string.h>

enum {
    VERSION = 1
};

struct slice presence_note_name(char out[PRESENCE_NOTE_NAME_BYTES], struct slice nsp,
                                struct slice user)
{
    if (nsp.len > LIMIT_NAMESPACE_BYTES || user.len > LIMIT_USER_BYTES)
        return (struct slice){0};
    if (nsp.len > 0)
        memcpy(out, nsp.ptr, nsp.len);
    out[nsp.len] = '\0';
    if (user.len > 0)
        memcpy(out + nsp.len + 1, user.ptr, user.len);
    return (struct slice){out, nsp.len + 1 + user.len};
}

bool presence_note_parts(struct slice name, struct slice *nsp, struct slice *user)
{
    return slice_cut(name, '\0', nsp, user) && name.len <= PRESENCE_NOTE_NAME_BYTES;
}

void presence_note_encode(const struct presence_note *note, struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, note->is_online);
    byte_put_u64(out, (uint64_t)note->seen_ms);
}

enum status presence_note_decode(struct slice bytes, struct presence_note *note)
{
    struct byte_reader in = {.rest = bytes};
    unsigned version = byte_get_u8(&in);
    unsigned is_online = byte_get_u8(&in);
    uint64_t seen_ms = byte_get_u64(&in);

    if (version != VERSION || is_online > 1 || seen_ms > INT64_MAX)
        return ST_BAD_PACKET;
    *note = (struct presence_note){is_online, (int64_t)seen_ms};
    return byte_reader_end(&in);
}
