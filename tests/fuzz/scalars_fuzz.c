/* Short texts: positions and units print as they were read, names and patterns agree. */
#include "proto/ident.h"
#include "proto/position.h"
#include "proto/room_name.h"
#include "proto/suggest.h"
#include "proto/units.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_position(struct slice text)
{
    char again[LIMIT_POSITION_BYTES + 1];
    struct position position;

    if (position_parse(text, &position))
        return;
    position_print(&position, again);
    require(slice_is(text, again));
}

static void check_units(struct slice text)
{
    char again[UNITS_TEXT_BYTES];
    const char *reason = NULL;
    uint64_t value, back;

    if (units_parse_duration(text, &value, &reason)) {
        require(reason != NULL);
    } else {
        units_print_duration(value, again);
        require(!units_parse_duration(slice_of(again), &back, &reason) && back == value);
    }
    reason = NULL;
    if (units_parse_size(text, &value, &reason)) {
        require(reason != NULL);
    } else {
        units_print_size(value, again);
        require(!units_parse_size(slice_of(again), &back, &reason) && back == value);
    }
}

static void check_names(struct slice text)
{
    static const char *const words[] = {"room", "rooms", "event"};
    struct slice pattern, name;
    struct room_key key;

    if (room_name_is_valid(text))
        require(room_pattern_is_valid(text) && room_pattern_matches(text, text));
    if (!room_target_decode(SLICE("/"), text, &key) && key.kind == ROOM_NAMED)
        require(room_name_is_valid(key.name));
    slice_cut(text, ' ', &pattern, &name);
    room_pattern_matches(pattern, name);
    namespace_is_valid(text);
    suggest_nearest(text, words, 3);
}

static void check_base64url(struct slice text)
{
    size_t len, chars;
    uint8_t *bytes = malloc(text.len * 3 / 4 + 1);
    char *again = malloc(text.len + 1);

    require(bytes && again);
    if (ident_base64url_decode(text, bytes, &len)) {
        chars = ident_base64url_encode(bytes, len, again);
        require(slice_equal(text, (struct slice){again, chars}));
    }
    free(bytes);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};

    check_position(text);
    check_units(text);
    check_names(text);
    check_base64url(text);
    return 0;
}
