/*
 * An engine in a process of its own, led by lines: the parent writes a command and reads
 * one line back. The two ends of a bus may not live in one process (closing could hang,
 * and forking with the bus library's threads is undefined), so the parent forks before
 * anything is opened, and opens nothing itself.
 *
 * Publisher                                     answers
 *   append COUNT BYTES VOLATILE [ROOM]          kept FIRST LAST FAILED
 *   group COUNT BYTES VOLATILE [ROOM]           kept LAST LAST FAILED (all as one)
 *   disconnect USER                             kept SEQ SEQ FAILED
 *   count TARGETS EXCEPT                        count N COMPLETE   ("r:1,user:u", "-")
 *   members ROOM CURSOR LIMIT                   members N CURSOR
 *   totals                                      totals SESSIONS USERS ROOMS MEMBERSHIPS
 *   gateways                                    gateways N READY
 * Gateway
 *   until SEQ                                   seen RECEIVED HOLES FAULTS (waits)
 *   ready 0|1                                   ready (waits)
 *   put SID PID USER GENERATION ROOMS           done STATUS
 *   drop SID GENERATION                         done OK
 *   find PID                                    found STATUS SID GATEWAY ROOMS
 *   replay ROOM FROM TO                         replayed STATUS COUNT LAST
 *   wide ROOM FROM TO                           the same, in a question of the most bytes
 *   marks ROOM                                  marks STATUS MARK
 *   told                                        told RESETS REASON FORGOTTEN SETTLED
 *   fate                                        fate MOVED FENCED
 *   large NUMBER COUNT BYTES                    done STATUS (of the last: "s1" of "p1" …)
 *   finds NUMBER COUNT                          finds FOUND (all at once: "p1" …)
 *   crowd COUNT                                 crowd COUNT (sessions, nobody waits)
 *   part put|find|replay                        parted COUNT CALLS: three are asked, and
 *                                               the first answer closes the engine
 *   settles MOST                                settles MOST or less, else settles TIMES
 * Both
 *   head                                        head SEQ
 *   close                                       closed, and the process ends
 */
#ifndef TESTS_SUPPORT_ENGINE_PUPPET_H
#define TESTS_SUPPORT_ENGINE_PUPPET_H

#include "support/engine_puppet_large.h"
#include "support/engine_puppet_log.h"

static inline void puppet_head(struct puppet *puppet, char **words)
{
    struct position head;

    (void)words;
    puppet->engine->ops->head(puppet->engine, &head);
    puppet_say(puppet, "head %" PRIu64, head.seq);
}

/* --- child: the gateway's end --- */

static inline void puppet_check(struct puppet *puppet)
{
    struct position head;

    puppet->engine->ops->head(puppet->engine, &head);
    if (puppet->wanted_seq && head.seq >= puppet->wanted_seq) {
        puppet->wanted_seq = 0;
        puppet_say(puppet, "seen %" PRIu64 " %" PRIu64 " %" PRIu64, puppet->received,
                   puppet->holes, puppet->faults);
    }
    if (puppet->wanted_ready >= 0 &&
        puppet->engine->ops->is_ready(puppet->engine) == puppet->wanted_ready) {
        puppet->wanted_ready = -1;
        puppet_say(puppet, "ready");
    }
}

static inline void puppet_event(void *ctx, const struct engine_event *event)
{
    struct puppet *puppet = ctx;
    static struct envelope_room room;
    struct envelope envelope;

    if (puppet->last_applied && event->position.seq <= puppet->last_applied)
        puppet->faults++;
    else if (puppet->last_applied)
        puppet->holes += event->position.seq - puppet->last_applied - 1;
    if (envelope_decode(event->envelope, &room, &envelope))
        puppet->faults++;
    puppet->last_applied = event->position.seq;
    puppet->received++;
}

static inline void puppet_settled(void *ctx)
{
    struct puppet *puppet = ctx;

    puppet->settled = puppet->last_applied;
    puppet->settles++;
}

static inline void puppet_reset(void *ctx, const char *reason, const struct position *now)
{
    struct puppet *puppet = ctx;

    puppet->resets++;
    snprintf(puppet->reason, sizeof puppet->reason, "%s", reason);
    puppet->last_applied = now->seq;
}

static inline void puppet_ready(void *ctx, bool is_ready)
{
    (void)is_ready;
    puppet_check(ctx);
}

static inline void puppet_done(void *ctx, enum status status)
{
    puppet_say(ctx, "done %s", status_code(status));
}

/* "2.5": written five times since it was taken over for the second time; or just "5". */
static inline uint64_t puppet_generation(const char *word)
{
    const char *dot = strchr(word, '.');

    return dot ? (uint64_t)atol(word) << 32 | (uint64_t)atol(dot + 1)
               : (uint64_t)atol(word);
}

static inline void puppet_put_one(struct puppet *puppet, char **words,
                                  engine_done_fn *on_done)
{
    struct engine_membership rooms[16];
    struct engine_session session = {
        .sid = slice_of(words[1]),
        .pid = slice_of(words[2]),
        .nsp = SLICE("/"),
        .user = slice_of(strcmp(words[3], "-") == 0 ? "" : words[3]),
        .generation = puppet_generation(words[4]),
        .rooms = rooms,
    };
    struct position head;
    char *save;

    for (char *word = words[5] ? strtok_r(words[5], ",", &save) : NULL; word;
         word = strtok_r(NULL, ",", &save))
        rooms[session.room_count++] =
            (struct engine_membership){ROOM_NAMED, slice_of(word), 7};
    puppet->engine->ops->head(puppet->engine, &head);
    session.epoch = head.epoch;
    puppet->engine->ops->session_put(puppet->engine, &session, on_done, puppet);
}

static inline void puppet_put(struct puppet *puppet, char **words)
{
    puppet_put_one(puppet, words, puppet_done);
}

/* Sessions with as much text as one may have, so that few are many bytes. */
static inline void puppet_put_crowd(struct puppet *puppet)
{
    static const char text[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct engine_membership rooms[8];
    char sid[24];

    /* Their own names: the first letter is left out, then the second, … */
    for (size_t i = 0; i < 8; i++)
        rooms[i] =
            (struct engine_membership){ROOM_NAMED, slice_from(slice_of(text), i), 7};
    puppet->crowd_generation++;
    for (uint64_t i = 0; i < puppet->crowd; i++) {
        snprintf(sid, sizeof sid, "%" PRIu64, i);
        const struct engine_session session = {
            .sid = slice_of(sid),
            .nsp = slice_of(text),
            .user = slice_of(text),
            .generation = puppet->crowd_generation,
            .rooms = rooms,
            .room_count = 8,
        };
        puppet->engine->ops->session_put(puppet->engine, &session, NULL, NULL);
    }
}

static inline void puppet_crowd(struct puppet *puppet, char **words)
{
    puppet->crowd = (uint64_t)atol(words[1]);
    puppet_put_crowd(puppet);
    puppet_say(puppet, "crowd %" PRIu64, puppet->crowd);
}

/* After a restart of the directory: one session that was not there before. */
static inline void puppet_forgotten(void *ctx)
{
    struct puppet *puppet = ctx;
    char room[] = "r:again";
    char *words[PUPPET_WORDS + 1] = {"put", "again", "again-pid", "u", "1", room, NULL};

    puppet->forgotten++;
    puppet_put_one(puppet, words, NULL);
    puppet_put_crowd(puppet);
}

static inline void puppet_moved(void *ctx, struct slice sid, uint64_t generation)
{
    (void)sid;
    (void)generation;
    ((struct puppet *)ctx)->moved++;
}

static inline void puppet_fenced(void *ctx)
{
    ((struct puppet *)ctx)->fenced++;
}

static inline void puppet_fate(struct puppet *puppet, char **words)
{
    (void)words;
    puppet_say(puppet, "fate %u %u", puppet->moved, puppet->fenced);
}

static inline void puppet_drop(struct puppet *puppet, char **words)
{
    puppet->engine->ops->session_drop(puppet->engine, slice_of(words[1]),
                                      puppet_generation(words[2]));
    puppet_say(puppet, "done OK");
}

static inline void puppet_park(struct puppet *puppet, char **words)
{
    puppet->engine->ops->session_park(puppet->engine, slice_of(words[1]),
                                      puppet_generation(words[2]),
                                      (uint64_t)atol(words[3]));
    puppet_say(puppet, "done OK");
}

static inline void puppet_prove(struct puppet *puppet, char **words)
{
    const struct engine_proof proofs[] = {
        {SLICE("nobody"),    1                       },
        {slice_of(words[1]), (uint64_t)atol(words[2])},
    };

    puppet->engine->ops->session_prove(puppet->engine, proofs, 2);
    puppet_say(puppet, "done OK");
}

static inline void puppet_found(void *ctx, enum status status,
                                const struct engine_session *session,
                                struct slice gateway)
{
    if (!session)
        puppet_say(ctx, "found %s", status_code(status));
    else
        puppet_say(ctx, "found %s %.*s %.*s %zu %" PRIu64, status_code(status),
                   (int)session->sid.len, session->sid.ptr, (int)gateway.len, gateway.ptr,
                   session->room_count, session->proven);
}

static inline void puppet_find(struct puppet *puppet, char **words)
{
    puppet->engine->ops->session_find(puppet->engine, slice_of(words[1]), puppet_found,
                                      puppet);
}

static inline void puppet_replayed_event(void *ctx, const struct engine_event *event)
{
    struct puppet *puppet = ctx;

    puppet->replay_count++;
    puppet->replay_last = event->position.seq;
}

static inline void puppet_replayed(void *ctx, enum status status, uint64_t through)
{
    struct puppet *puppet = ctx;

    (void)through;
    puppet_say(puppet, "replayed %s %" PRIu64 " %" PRIu64, status_code(status),
               puppet->replay_count, puppet->replay_last);
}

static inline void puppet_ask_replay(struct puppet *puppet, char **words,
                                     const struct room_key *rooms, size_t count)
{
    struct position from;

    puppet->engine->ops->head(puppet->engine, &from);
    from.seq = (uint64_t)atol(words[2]);
    puppet->replay_count = puppet->replay_last = 0;
    puppet->engine->ops->replay(puppet->engine, &(struct engine_replay){
                                                    .rooms = rooms,
                                                    .room_count = count,
                                                    .from = from,
                                                    .to = (uint64_t)atol(words[3]),
                                                    .on_event = puppet_replayed_event,
                                                    .on_done = puppet_replayed,
                                                    .ctx = puppet,
                                                });
}

static inline void puppet_replay(struct puppet *puppet, char **words)
{
    struct envelope_target target = puppet_target(words[1]);
    const struct room_key room = {SLICE("/"), target.kind, target.name};

    puppet_ask_replay(puppet, words, &room, 1);
}

/* The room, and as many others with names as long as there may be. */
static inline void puppet_wide(struct puppet *puppet, char **words)
{
    struct envelope_target target = puppet_target(words[1]);
    struct room_key *rooms = calloc(LIMIT_REPLAY_ROOMS, sizeof *rooms);
    char long_name[LIMIT_ROOM_BYTES];

    memset(long_name, 'n', sizeof long_name);
    for (size_t i = 0; i < LIMIT_REPLAY_ROOMS; i++)
        rooms[i] = (struct room_key){
            {long_name, LIMIT_NAMESPACE_BYTES},
            ROOM_NAMED,
            {long_name, LIMIT_ROOM_BYTES     }
        };
    rooms[0] = (struct room_key){SLICE("/"), target.kind, target.name};
    puppet_ask_replay(puppet, words, rooms, LIMIT_REPLAY_ROOMS);
    free(rooms);
}

/* One of three answers: the first closes the engine, which answers the others. */
static inline void puppet_parted(void *ctx, enum status status)
{
    struct puppet *puppet = ctx;

    (void)status;
    if (++puppet->parting > 1)
        return;
    puppet->engine->ops->close(puppet->engine);
    puppet->parted_at_close = puppet->parting;
    puppet->has_parted = true;
}

static inline void puppet_parted_found(void *ctx, enum status status,
                                       const struct engine_session *session,
                                       struct slice gateway)
{
    (void)session;
    (void)gateway;
    puppet_parted(ctx, status);
}

static inline void puppet_parted_replay(void *ctx, enum status status, uint64_t through)
{
    (void)through;
    puppet_parted(ctx, status);
}

static inline void puppet_part(struct puppet *puppet, char **words)
{
    const struct engine_ops *ops = puppet->engine->ops;
    const struct engine_session session = {.sid = SLICE("s"), .nsp = SLICE("/")};
    const struct room_key room = {SLICE("/"), ROOM_NAMED, SLICE("r")};
    struct position from;

    ops->head(puppet->engine, &from);
    for (int i = 0; i < 3; i++) {
        if (strcmp(words[1], "put") == 0)
            ops->session_put(puppet->engine, &session, puppet_parted, puppet);
        else if (strcmp(words[1], "find") == 0)
            ops->session_find(puppet->engine, SLICE("p"), puppet_parted_found, puppet);
        else
            ops->replay(puppet->engine, &(struct engine_replay){
                                            .rooms = &room,
                                            .room_count = 1,
                                            .from = from,
                                            .to = UINT64_MAX,
                                            .on_event = puppet_replayed_event,
                                            .on_done = puppet_parted_replay,
                                            .ctx = puppet,
                                        });
    }
}

static inline void puppet_marked(void *ctx, enum status status, uint64_t epoch,
                                 const uint64_t *marks, size_t count)
{
    (void)epoch;
    puppet_say(ctx, "marks %s %" PRIu64, status_code(status), count ? marks[0] : 0);
}

static inline void puppet_marks(struct puppet *puppet, char **words)
{
    struct room_key room = {SLICE("/"), ROOM_NAMED, slice_of(words[1])};

    puppet->engine->ops->marks(puppet->engine, &room, 1, puppet_marked, puppet);
}

/* How many events, the range, and whether it is cut. */
static inline void puppet_past_told(void *ctx, enum status status,
                                    const struct engine_past_range *ranges,
                                    uint32_t events)
{
    if (status)
        puppet_say(ctx, "past %s", status_code(status));
    else
        puppet_say(ctx, "past OK %u %" PRIu64 " %" PRIu64 " %d", events, ranges[0].base,
                   ranges[0].top, ranges[0].is_cut);
}

/* past ROOM SINCE ASKED MAX [oldest] */
static inline void puppet_past(struct puppet *puppet, char **words)
{
    struct envelope_target target = puppet_target(words[1]);
    const struct engine_past_room room = {
        {SLICE("/"), target.kind, target.name},
        (uint32_t)atol(words[4]),
        atol(words[2]),
        atol(words[3]),
    };
    struct engine_past wish = {.rooms = &room,
                               .count = 1,
                               .total = LIMIT_PAST_EVENTS,
                               .oldest_first = words[5] != NULL};

    puppet->engine->ops->head(puppet->engine, &wish.through);
    puppet->engine->ops->past(puppet->engine, &wish, puppet_past_told, puppet);
}

static inline void puppet_until(struct puppet *puppet, char **words)
{
    puppet->wanted_seq = (uint64_t)atol(words[1]);
    puppet_check(puppet);
}

static inline void puppet_ready_when(struct puppet *puppet, char **words)
{
    puppet->wanted_ready = atoi(words[1]);
    puppet_check(puppet);
}

static inline void puppet_settles(struct puppet *puppet, char **words)
{
    uint64_t most = strtoull(words[1], NULL, 10);

    if (puppet->settles <= most)
        puppet_say(puppet, "settles %" PRIu64 " or less", most);
    else
        puppet_say(puppet, "settles %" PRIu64, puppet->settles);
}

static inline void puppet_told(struct puppet *puppet, char **words)
{
    (void)words;
    puppet_say(puppet, "told %u %s %u %d", puppet->resets,
               puppet->resets ? puppet->reason : "-", puppet->forgotten,
               puppet->settled == puppet->last_applied);
}

static inline void puppet_close(struct puppet *puppet, char **words)
{
    (void)words;
    puppet->engine->ops->close(puppet->engine);
    uv_close((uv_handle_t *)&puppet->lines, NULL);
    uv_close((uv_handle_t *)&puppet->check, NULL);
    while (uv_run(&puppet->loop, UV_RUN_NOWAIT))
        ;
    buf_finish(&puppet->wire);
    puppet_say(puppet, "closed");
    lifecycle_exit(0);
}

static inline void puppet_obey(struct puppet *puppet, char *line)
{
    static const struct {
        const char *word;
        void (*run)(struct puppet *puppet, char **words);
    } commands[] = {
        {"append",     puppet_append    },
        {"group",      puppet_group     },
        {"disconnect", puppet_disconnect},
        {"count",      puppet_count     },
        {"members",    puppet_members   },
        {"totals",     puppet_totals    },
        {"gateways",   puppet_gateways  },
        {"head",       puppet_head      },
        {"keeps",      puppet_keeps     },
        {"until",      puppet_until     },
        {"ready",      puppet_ready_when},
        {"put",        puppet_put       },
        {"drop",       puppet_drop      },
        {"park",       puppet_park      },
        {"prove",      puppet_prove     },
        {"find",       puppet_find      },
        {"large",      puppet_large     },
        {"finds",      puppet_finds     },
        {"replay",     puppet_replay    },
        {"wide",       puppet_wide      },
        {"marks",      puppet_marks     },
        {"past",       puppet_past      },
        {"told",       puppet_told      },
        {"fate",       puppet_fate      },
        {"crowd",      puppet_crowd     },
        {"part",       puppet_part      },
        {"settles",    puppet_settles   },
        {"close",      puppet_close     },
    };
    char *words[PUPPET_WORDS + 1] = {NULL};
    char *save;
    size_t n = 0;

    for (char *word = strtok_r(line, " ", &save); word && n < PUPPET_WORDS;
         word = strtok_r(NULL, " ", &save))
        words[n++] = word;
    for (size_t i = 0; n > 0 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].word, words[0]) == 0) {
            commands[i].run(puppet, words);
            return;
        }
    }
    _exit(6);
}

static inline void puppet_on_lines(uv_poll_t *poll, int status, int events)
{
    struct puppet *puppet = poll->data;
    char *at = puppet->input + puppet->input_len;

    (void)status;
    (void)events;
    ssize_t n = read(puppet->fd, at, sizeof puppet->input - 1 - puppet->input_len);
    if (n <= 0)
        _exit(7); /* the parent is gone */
    puppet->input_len += (size_t)n;
    puppet->input[puppet->input_len] = 0;
    char *end = strchr(puppet->input, '\n');
    if (!end)
        return;
    *end = 0;
    puppet->input_len = 0; /* one command at a time */
    puppet_obey(puppet, puppet->input);
}

static inline void puppet_on_check(uv_timer_t *timer)
{
    struct puppet *puppet = timer->data;

    puppet_check(puppet);
    if (!puppet->has_parted)
        return;
    puppet->has_parted = false;
    puppet_say(puppet, "parted %u %u", puppet->parted_at_close, puppet->parting);
}

_Noreturn static inline void puppet_run(int fd, const struct engine_config *wanted)
{
    static const struct engine_listener listener = {
        .on_event = puppet_event,
        .on_settled = puppet_settled,
        .on_reset = puppet_reset,
        .on_ready = puppet_ready,
        .on_forgotten = puppet_forgotten,
        .on_moved = puppet_moved,
        .on_fenced = puppet_fenced,
    };
    struct puppet *puppet = calloc(1, sizeof *puppet);
    struct engine_config config = *wanted;
    const char *reason = "";

    uv_loop_init(&puppet->loop);
    puppet->fd = fd;
    puppet->wanted_ready = -1;
    puppet->wire.max = LIMIT_ENVELOPE_BYTES;
    puppet->log = (struct logger){.role = "puppet"};
    config.loop = &puppet->loop;
    config.log = &puppet->log;
    config.metrics = &puppet->metrics;
    if (engine_open(&config, &puppet->engine, &reason)) {
        puppet_say(puppet, "refused %s", reason);
        _exit(0);
    }
    if (config.role == ENGINE_GATEWAY)
        puppet->engine->ops->subscribe(puppet->engine, &listener, puppet);
    uv_poll_init(&puppet->loop, &puppet->lines, fd);
    puppet->lines.data = puppet;
    uv_poll_start(&puppet->lines, UV_READABLE, puppet_on_lines);
    uv_timer_init(&puppet->loop, &puppet->check);
    puppet->check.data = puppet;
    if (config.role == ENGINE_GATEWAY)
        uv_timer_start(&puppet->check, puppet_on_check, 10, 10);
    puppet_say(puppet, "open");
    uv_run(&puppet->loop, UV_RUN_DEFAULT);
    _exit(8);
}

#endif
