/* The fate of a frame on a bad bus: see the header. */
#include "bridge/testing/bus_fate.h"

#include "proto/units.h"

#include <string.h>

enum {
    OVERTAKEN_MS = 20, /* at most, by the frames that follow */
};

static uint64_t draw(struct bus_plan *plan, uint64_t below)
{
    plan->random = plan->random * 6364136223846793005u + 1442695040888963407u;
    return (plan->random >> 33) % below;
}

static bool parse_percent(struct slice text, unsigned *percent)
{
    uint64_t value;

    if (!slice_to_u64(text, &value) || value > 100)
        return false;
    *percent = (unsigned)value;
    return true;
}

static bool parse_text(struct slice text, char out[BUS_FATE_TEXT_BYTES])
{
    if (text.len == 0 || text.len >= BUS_FATE_TEXT_BYTES)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool parse_item(struct bus_plan *plan, struct slice item)
{
    const char *reason;
    struct slice name, value;

    if (!slice_cut(item, '=', &name, &value))
        return false;
    if (slice_is(name, "drop"))
        return parse_percent(value, &plan->drop);
    if (slice_is(name, "dup"))
        return parse_percent(value, &plan->repeat);
    if (slice_is(name, "reorder"))
        return parse_percent(value, &plan->reorder);
    if (slice_is(name, "delay"))
        return units_parse_duration(value, &plan->delay_ms, &reason) == ST_OK;
    if (slice_is(name, "lose"))
        return parse_text(value, plan->lose);
    return slice_is(name, "record") && parse_text(value, plan->record);
}

bool bus_plan_parse(struct bus_plan *plan, struct slice text)
{
    struct slice seed = text, items = {0};
    bool has_items = slice_cut(text, ':', &seed, &items);

    *plan = (struct bus_plan){0};
    if (!slice_to_u64(has_items ? seed : text, &plan->random))
        return false;
    while (items.len > 0) {
        struct slice item = items, rest = {0};
        if (!slice_cut(items, ',', &item, &rest))
            item = items;
        if (!parse_item(plan, item))
            return false;
        items = rest;
    }
    return true;
}

void bus_fate_draw(struct bus_plan *plan, struct slice frame, struct bus_fate *fate)
{
    /* Always the same number of draws: what one frame is does not change the next one's
     * fate. */
    bool is_dropped = draw(plan, 100) < plan->drop;
    bool is_repeated = draw(plan, 100) < plan->repeat;
    bool is_overtaken = draw(plan, 100) < plan->reorder;
    uint64_t late_ms = 1 + draw(plan, OVERTAKEN_MS);
    uint64_t again_ms = draw(plan, OVERTAKEN_MS);

    *fate = (struct bus_fate){0};
    if (is_dropped || (plan->lose[0] && memmem(frame.ptr, frame.len, plan->lose,
                                               strlen(plan->lose)) != NULL))
        return;
    fate->copies = is_repeated ? 2 : 1;
    fate->after_ms[0] = plan->delay_ms + (is_overtaken ? late_ms : 0);
    fate->after_ms[1] = plan->delay_ms + again_ms;
}
