/*
 * The commands of a puppet that is the publisher: see engine_puppet.h. One thread.
 */
#ifndef TESTS_SUPPORT_ENGINE_PUPPET_LOG_H
#define TESTS_SUPPORT_ENGINE_PUPPET_LOG_H

#include "support/engine_puppet_state.h"

static inline void puppet_pump(struct puppet *puppet);

static inline void puppet_kept(void *ctx, enum status status,
                               const struct position *position)
{
    struct puppet *puppet = ctx;

    puppet->answered++;
    if (status) {
        puppet->failed++;
    } else {
        if (puppet->first_seq == 0)
            puppet->first_seq = position->seq;
        puppet->last_seq = position->seq;
    }
    if (puppet->answered == puppet->to_append)
        puppet_say(puppet, "kept %" PRIu64 " %" PRIu64 " %" PRIu64, puppet->first_seq,
                   puppet->last_seq, puppet->failed);
    else if (puppet->appended < puppet->to_append &&
             puppet->appended - puppet->answered < PUPPET_OUTSTANDING / 2)
        puppet_pump(puppet);
}

static inline void puppet_pump(struct puppet *puppet)
{
    while (puppet->appended < puppet->to_append &&
           puppet->appended - puppet->answered < PUPPET_OUTSTANDING) {
        const struct engine_ops *ops = puppet->engine->ops;
        struct slice wire = buf_slice(&puppet->wire);
        bool is_volatile =
            puppet->is_volatile || (puppet->is_mixed && puppet->appended % 2);
        const struct engine_entry entry = {wire, is_volatile};
        const struct engine_append what = {.entries = &entry, .count = 1};
        /* A gateway publishes by way of the log's process. */
        if (ops->append
                ? ops->append(puppet->engine, &what, puppet_kept, puppet)
                : ops->publish(puppet->engine, wire, is_volatile, puppet_kept, puppet))
            _exit(4);
        puppet->appended++;
    }
}

static inline void puppet_begin_append(struct puppet *puppet, uint64_t count)
{
    puppet->to_append = count;
    puppet->answered = puppet->failed = puppet->appended = 0;
    puppet->first_seq = puppet->last_seq = 0;
}

static inline struct envelope_target puppet_target(const char *text)
{
    struct room_key key;

    if (room_target_decode(SLICE("/"), slice_of(text), &key))
        _exit(5);
    return (struct envelope_target){key.kind, key.name};
}

/* COUNT BYTES VOLATILE [ROOM [AT]]; volatile are none, all (1) or every other one (2) */
static inline void puppet_encode(struct puppet *puppet, char **words)
{
    struct envelope_target target = puppet_target(words[4] ? words[4] : "r:1");
    size_t bytes = (size_t)atol(words[2]);
    char *data = malloc(bytes + 3);
    struct envelope envelope = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .data = {data, bytes + 2},
        .targets = &target,
        .target_count = 1,
    };

    memset(data, 'x', bytes + 2);
    data[0] = data[bytes + 1] = '"';
    puppet->is_volatile = words[3][0] == '1';
    puppet->is_mixed = words[3][0] == '2';
    envelope.flags = puppet->is_volatile ? ENVELOPE_VOLATILE : ENVELOPE_HISTORY;
    envelope.at_ms = words[4] && words[5] ? atol(words[5]) : 0;
    buf_clear(&puppet->wire);
    envelope_encode(&envelope, &puppet->wire);
    free(data);
}

static inline void puppet_append(struct puppet *puppet, char **words)
{
    puppet_encode(puppet, words);
    puppet_begin_append(puppet, (uint64_t)atol(words[1]));
    puppet_pump(puppet);
}

/* All of them as one. */
static inline void puppet_group(struct puppet *puppet, char **words)
{
    struct engine_entry entries[LIMIT_APPEND_GROUP];

    puppet_encode(puppet, words);
    const struct engine_append what = {.entries = entries,
                                       .count = (size_t)atol(words[1])};
    for (size_t i = 0; i < what.count; i++)
        entries[i] = (struct engine_entry){
            buf_slice(&puppet->wire), puppet->is_volatile || (puppet->is_mixed && i % 2)};
    puppet_begin_append(puppet, 1);
    puppet->appended = 1;
    if (puppet->engine->ops->append(puppet->engine, &what, puppet_kept, puppet))
        _exit(4);
}

/* Whether it is ready to keep what is published, as /readyz says. */
static inline void puppet_keeps(struct puppet *puppet, char **words)
{
    (void)words;
    puppet_say(puppet, "keeps %d", puppet->engine->ops->is_ready(puppet->engine));
}

static inline void puppet_disconnect(struct puppet *puppet, char **words)
{
    struct envelope_target target = {ROOM_USER, slice_of(words[1])};
    struct envelope command = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("kicked"),
        .targets = &target,
        .target_count = 1,
    };

    puppet_begin_append(puppet, 1);
    if (engine_disconnect(puppet->engine, &command, puppet_kept, puppet))
        _exit(4);
}

static inline void puppet_counted(void *ctx, const struct engine_count *count)
{
    puppet_say(ctx, "count %" PRIu64 " %d", count->connections, count->complete);
}

static inline void puppet_count(struct puppet *puppet, char **words)
{
    struct envelope_target targets[16];
    struct slice except[16];
    size_t target_count = 0, except_count = 0;
    char *save;

    for (char *word = strtok_r(words[1], ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        targets[target_count++] =
            strncmp(word, "sid:", 4) == 0
                ? (struct envelope_target){ROOM_SOCKET, slice_of(word + 4)}
                : puppet_target(word);
    }
    for (char *word = strtok_r(words[2], ",", &save); word && strcmp(word, "-") != 0;
         word = strtok_r(NULL, ",", &save))
        except[except_count++] = slice_of(word);
    puppet->engine->ops->count(puppet->engine, SLICE("/"), targets, target_count, except,
                               except_count, puppet_counted, puppet);
}

static inline void puppet_page(void *ctx, enum status status,
                               const struct engine_member *members, size_t count,
                               struct slice cursor)
{
    (void)members;
    (void)status;
    puppet_say(ctx, "members %zu %.*s", count, (int)cursor.len, cursor.ptr);
}

static inline void puppet_members(struct puppet *puppet, char **words)
{
    struct envelope_target target = puppet_target(words[1]);
    struct room_key room = {SLICE("/"), target.kind, target.name};
    struct slice cursor = slice_of(words[2][0] == '-' ? "" : words[2]);

    puppet->engine->ops->members(puppet->engine, &room, cursor, (size_t)atol(words[3]),
                                 puppet_page, puppet);
}

static inline void puppet_totals(struct puppet *puppet, char **words)
{
    struct engine_totals totals;

    (void)words;
    puppet->engine->ops->totals(puppet->engine, &totals);
    puppet_say(puppet, "totals %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
               totals.sessions, totals.users, totals.rooms, totals.memberships);
}

struct puppet_gateways {
    unsigned count, ready;
};

static inline void puppet_gateway(void *ctx, const struct engine_gateway *gateway)
{
    struct puppet_gateways *seen = ctx;

    seen->count++;
    seen->ready += gateway->is_ready && gateway->pid > 0;
}

static inline void puppet_gateways(struct puppet *puppet, char **words)
{
    struct puppet_gateways seen = {0};

    (void)words;
    puppet->engine->ops->gateways(puppet->engine, puppet_gateway, &seen);
    puppet_say(puppet, "gateways %u %u", seen.count, seen.ready);
}

#endif
