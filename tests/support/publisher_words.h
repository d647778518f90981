/*
 * What tests of a whole publisher say to it and ask of it. Include cmocka first.
 */
#ifndef TESTS_SUPPORT_PUBLISHER_WORDS_H
#define TESTS_SUPPORT_PUBLISHER_WORDS_H

#include "support/publisher_rig.h"

#include <jansson.h>

#define AUTH "Authorization: Bearer " RIG_KEY "\r\n"
#define GOOD "{\"event\":\"moved\",\"room\":\"project:7\",\"data\":{\"x\": 1.50}}"
#define GOOD_WITH_ID "{\"event\":\"moved\",\"room\":\"project:7\",\"id\":\"order-1\"}"

static inline int set_up(void **state)
{
    *state = rig_start();
    return 0;
}

static inline int tear_down(void **state)
{
    rig_stop(*state);
    return 0;
}

/* The member of a JSON body, as a string; "" when absent. */
static inline const char *member(const char *body, const char *path, char out[256])
{
    json_t *tree = json_loads(body, 0, NULL);
    json_t *value = json_object_get(tree, path);

    out[0] = '\0';
    if (json_is_string(value))
        snprintf(out, 256, "%s", json_string_value(value));
    json_decref(tree);
    return out;
}

static inline uint64_t metric(struct rig *rig, enum metric which)
{
    struct metrics_snapshot snapshot;

    metrics_snapshot(&rig->metrics, &snapshot);
    return snapshot.values[which];
}

static inline void wait_appended(struct rig *rig, unsigned count)
{
    for (int i = 0; i < 3000 && rig->engine.appended < count; i++)
        usleep(1000);
    assert_int_equal(rig->engine.appended, count);
}

static inline void wait_metric(struct rig *rig, enum metric which, uint64_t value)
{
    for (int i = 0; i < 3000 && metric(rig, which) != value; i++)
        usleep(1000);
    assert_int_equal(metric(rig, which), value);
}

#endif
