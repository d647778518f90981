/* What a load reads from a server: the answer to an upgrade, frames, stamps. */
#include "cli/load_frame.h"
#include "cli/load_stamp.h"
#include "cli/ws_reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same stamp is found with any hint, and written as it was read. */
static void check_stamp(struct slice text, size_t hint)
{
    char again[LOAD_STAMP_BYTES];
    struct load_stamp stamp;

    if (!load_stamp_find(text, &hint, &stamp))
        return;
    load_stamp_write(again, &stamp);
    if (!slice_equal(slice_first(slice_from(text, hint), LOAD_STAMP_BYTES),
                     (struct slice){again, sizeof again}))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};
    struct ws_head head;
    size_t head_len = 0;
    int http_status;

    check_stamp(bytes, size ? data[0] : 0);
    if (!load_frame_read_upgrade(bytes, &head_len, &http_status)) {
        if (head_len > size)
            abort();
        bytes = slice_from(bytes, head_len);
    }
    while (!ws_head_read(bytes, &head) && bytes.len - head.header_len >= head.len) {
        bytes = slice_from(bytes, head.header_len + (size_t)head.len);
        check_stamp(bytes, 0);
    }
    return 0;
}
