/*
 * The directory's client: see the header. Operations are encoded when they come up and
 * sent in their order; the answers stand in the same order.
 */
#include "bridge/engine_nng_sessions.h"

#include "bridge/clock.h"
#include "bridge/directory_serve.h"
#include "bridge/engine_nng_ask.h"
#include "bridge/engine_nng_op.h"
#include "bridge/random.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 2000,
    SILENCE_MS = 3000,
    RENEW_MS = 1000,
    MAX_OPS = 1000, /* of one request */
    MAX_FINDS = 64, /* of one request: their answers share one message */
    HEAD_MAX_BYTES = 128,
};

struct sessions {
    struct sessions_config config;
    struct asker *asker;
    uint64_t incarnation;
    uint64_t number;         /* of the request under way, or the last */
    struct op_list waiting;  /* not sent yet */
    struct op_list asked;    /* of the request under way */
    struct op_list answered; /* those whose results are being given */
    struct op_list ending;   /* to be told `status` */
    size_t waiting_bytes;
    size_t publishing_bytes; /* of events that nobody has kept yet */
    uint64_t serial;         /* of the last of them */
    uint64_t now_ms;         /* of the last tick: a stopped process has not waited */
    uint64_t answered_ms, renewed_ms;
    bool is_open;                     /* the stream has begun */
    bool has_answer;                  /* ever */
    bool has_met;                     /* the directory has known this incarnation */
    bool is_settled;                  /* everything was put since it met us */
    bool is_putting;                  /* all of it, right now */
    bool is_ready;                    /* what the lease says */
    enum directory_standing standing; /* as the directory said last */
    bool is_stopped;
};

/* Later starts have higher numbers; a clock that was set back costs one lease's time. */
static uint64_t new_incarnation(uint64_t last)
{
    uint16_t noise;

    random_bytes(&noise, sizeof noise);
    uint64_t incarnation = (uint64_t)clock_wall_ms() << 16 | noise;
    return incarnation > last ? incarnation : last + 1;
}

/* --- a request --- */

/* What could not leave waits again, in its order; the next tick tries. */
static void put_back(struct sessions *sessions)
{
    struct op_list *waiting = &sessions->waiting;

    for (const struct op *op = sessions->asked.first; op; op = op->next)
        sessions->waiting_bytes += op_cost(op);
    *sessions->asked.end = waiting->first;
    if (!waiting->first)
        waiting->end = sessions->asked.end;
    waiting->first = sessions->asked.first;
    op_list_clear(&sessions->asked);
}

static void send_waiting(struct sessions *sessions)
{
    struct buf ops = {.max = LIMIT_DIRECTORY_BYTES};
    struct buf request = {.max = LIMIT_DIRECTORY_BYTES + HEAD_MAX_BYTES};
    uint32_t count = 0, finds = 0;

    if (!sessions->is_open || asker_is_busy(sessions->asker) ||
        !sessions->waiting.first || sessions->is_stopped)
        return;
    while (sessions->waiting.first && count < MAX_OPS && finds < MAX_FINDS) {
        struct op *op = sessions->waiting.first;
        if (count > 0 && ops.len + op->bytes.len > ops.max)
            break;
        op_list_add(&sessions->asked, op_list_take(&sessions->waiting));
        sessions->waiting_bytes -= op_cost(op);
        buf_add(&ops, buf_slice(&op->bytes));
        finds += op->on_found != NULL;
        count++;
    }
    struct directory_request head = {
        .gateway = slice_of(sessions->config.gateway_id),
        .incarnation = sessions->incarnation,
        .number = ++sessions->number,
        .count = count,
    };
    directory_request_encode(&head, &request);
    buf_add(&request, buf_slice(&ops));
    enum status st = buf_status(&ops) ? buf_status(&ops) : buf_status(&request);
    buf_finish(&ops);
    if (st) {
        buf_finish(&request);
        put_back(sessions); /* half a request would never be answered */
        return;
    }
    asker_ask(sessions->asker, &request);
}

static void enqueue(struct sessions *sessions, struct op *op)
{
    char *exact = realloc(op->bytes.ptr, op->bytes.len);

    if (exact) {
        op->bytes.ptr = exact;
        op->bytes.cap = op->bytes.len;
    }
    op_list_add(&sessions->waiting, op);
    sessions->waiting_bytes += op_cost(op);
    send_waiting(sessions);
}

/* --- answers --- */

/* A callback may stop the sessions: then sessions_stop has told the others. */
static void end_ending(struct sessions *sessions)
{
    for (struct op *op; (op = op_list_take(&sessions->ending)); op_destroy(op))
        op_end(op, op->status);
}

static void give_found(struct op *op, const struct directory_result *result)
{
    struct engine_session session;
    struct engine_membership *rooms = NULL;

    if (result->kind != RESULT_SESSION)
        op_end(op, op_status_of(result->outcome));
    else if (!directory_decode_session(&result->session, &session, &rooms))
        op_end(op, ST_NO_MEMORY);
    else
        op->on_found(op->ctx, ST_OK, &session, result->gateway);
    free(rooms);
}

static void give_kept(struct op *op, const struct directory_result *result)
{
    const struct position position = {result->epoch, result->seq};
    enum status st =
        result->kind == RESULT_POSITION ? op_status_of(result->outcome) : ST_UNAVAILABLE;

    op->on_kept(op->ctx, st, &position);
}

/* The directory knows by its number whether it has the event: sending again is safe, as
 * long as we are who numbered it. */
static bool may_go_again(const struct sessions *sessions, const struct op *op)
{
    if (op->is_publish)
        return op->incarnation == sessions->incarnation;
    return op->deadline_ms == 0;
}

/*
 * No answer that can be used: who waits is told; what nobody waits for, and events, go
 * first in the next request, in their order, so that an old put cannot follow a drop.
 */
static void ask_again(struct sessions *sessions)
{
    struct op_list kept;

    op_list_clear(&kept);
    for (struct op *op; (op = op_list_take(&sessions->asked));) {
        op->status = ST_UNAVAILABLE;
        op_list_add(may_go_again(sessions, op) ? &kept : &sessions->ending, op);
    }
    while (kept.first)
        op_list_add(&sessions->asked, op_list_take(&kept));
    put_back(sessions);
    end_ending(sessions);
}

/* The session that a put was for lives elsewhere by now. */
static void tell_moved(struct sessions *sessions, const struct op *op)
{
    struct slice bytes = buf_slice(&op->bytes);
    struct directory_op put;

    if (directory_op_next(&bytes, &put) && put.kind == DIRECTORY_PUT)
        sessions->config.on_moved(sessions->config.ctx, put.session.sid,
                                  engine_next_term(put.session.generation));
}

/* Ends every operation of the request; results that are not there are failures. */
static void give_results(struct sessions *sessions, const struct directory_answer *answer)
{
    struct slice rest = answer->results;
    uint32_t left = answer->count;
    struct directory_result result;

    /* From its own list: what a callback asks may be sent at once, and it may stop us. */
    while (sessions->asked.first)
        op_list_add(&sessions->answered, op_list_take(&sessions->asked));
    for (struct op *op; (op = op_list_take(&sessions->answered)); op_destroy(op)) {
        bool has_result = left > 0 && directory_result_next(&rest, &result);
        left -= has_result;
        if (has_result && result.outcome == OUTCOME_ELSEWHERE)
            tell_moved(sessions, op);
        if (has_result && op->on_found)
            give_found(op, &result);
        else if (has_result && op->on_kept)
            give_kept(op, &result);
        else if (has_result && op->on_seen)
            op->on_seen(op->ctx, result.seen_ms);
        else
            op_end(op, has_result ? op_status_of(result.outcome) : ST_UNAVAILABLE);
    }
}

static void renew_lease(struct sessions *sessions)
{
    struct metrics_snapshot snapshot;
    struct op *op = op_create();
    struct directory_op lease = {
        .pid = (uint32_t)getpid(),
        .is_ready = sessions->is_ready,
        .is_settled = sessions->is_settled,
    };

    if (!op)
        return;
    metrics_snapshot(sessions->config.metrics, &snapshot);
    directory_lease_encode(&lease, METRIC_COUNT, &op->bytes);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        wire_counter_add(&op->bytes, snapshot.values[i]);
    if (buf_status(&op->bytes)) {
        op_destroy(op); /* the next tick renews it */
        return;
    }
    op->is_lease = true;
    op->deadline_ms = sessions->now_ms + DEADLINE_MS;
    sessions->renewed_ms = sessions->now_ms;
    enqueue(sessions, op);
}

/*
 * Leases that still wait say what is not so any more, and what is being put again will be
 * put once more.
 */
static void unsettle(struct sessions *sessions)
{
    struct op_list waiting = sessions->waiting;

    sessions->is_settled = false;
    if (!waiting.first)
        return;
    op_list_clear(&sessions->waiting);
    for (struct op *op; (op = op_list_take(&waiting));) {
        if (!op->is_lease && !op->is_again) {
            op_list_add(&sessions->waiting, op);
            continue;
        }
        sessions->waiting_bytes -= op_cost(op);
        op_destroy(op);
    }
}

/*
 * The directory met us with this request. What was put before is gone, if there was
 * anything: then every session is put again, and the lease that follows says so.
 */
static void settle(struct sessions *sessions)
{
    bool was_known = sessions->has_met;

    sessions->has_met = true;
    sessions->is_putting = true;
    if (was_known)
        sessions->config.on_forgotten(sessions->config.ctx);
    sessions->is_putting = false;
    sessions->is_settled = true;
    renew_lease(sessions);
}

/*
 * Not let in. Who was known before has been replaced by a later start and ends. Who was
 * not asks again each second: a clock that was set back makes a new start look like an
 * old one until the lease of the one before it is over, and a full directory has room
 * once a lease is.
 */
static void take_standing(struct sessions *sessions, enum directory_standing standing)
{
    const struct logger *log = sessions->config.log;
    bool is_news = standing != sessions->standing;

    sessions->standing = standing;
    if (is_news && standing == STANDING_FENCED)
        log_error(log, "another gateway began later under this id",
                  LOG_TEXT("id", sessions->config.gateway_id));
    if (is_news && standing == STANDING_FULL)
        log_error(log, "the directory has as many gateways as it may have",
                  LOG_TEXT("id", sessions->config.gateway_id));
    if (is_news && standing == STANDING_FENCED && sessions->has_met)
        sessions->config.on_fenced(sessions->config.ctx);
}

static void on_answer(void *ctx, struct slice bytes)
{
    struct sessions *sessions = ctx;
    struct directory_answer answer;

    if (sessions->is_stopped)
        return;
    if (directory_answer_decode(bytes, &answer) || answer.number != sessions->number ||
        answer.incarnation != sessions->incarnation) {
        ask_again(sessions);
        return;
    }
    sessions->has_answer = true;
    sessions->answered_ms = sessions->now_ms;
    if (answer.standing == STANDING_NEW)
        unsettle(sessions); /* before a result makes somebody send what waits */
    give_results(sessions, &answer);
    if (!sessions->is_stopped)
        take_standing(sessions, answer.standing);
    if (answer.standing == STANDING_NEW && !sessions->is_stopped)
        settle(sessions);
    send_waiting(sessions);
}

/* --- what the engine calls --- */

struct sessions *sessions_start(const struct sessions_config *config)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);

    if (!sessions)
        return NULL;
    sessions->config = *config;
    sessions->incarnation = new_incarnation(0);
    sessions->now_ms = clock_ms();
    op_list_clear(&sessions->waiting);
    op_list_clear(&sessions->asked);
    op_list_clear(&sessions->answered);
    op_list_clear(&sessions->ending);
    sessions->asker = asker_start(config->link, config->door, on_answer, sessions);
    if (!sessions->asker) {
        free(sessions);
        return NULL;
    }
    renew_lease(sessions);
    return sessions;
}

void sessions_open(struct sessions *sessions)
{
    sessions->is_open = true;
    send_waiting(sessions);
}

/*
 * The directory is away and too much waits. Start over under a new incarnation: the
 * directory will drop what it has of the old one and ask for every session.
 */
static void start_over(struct sessions *sessions)
{
    for (struct op *op; (op = op_list_take(&sessions->waiting));) {
        op->status = ST_UNAVAILABLE;
        op_list_add(&sessions->ending, op);
    }
    sessions->waiting_bytes = 0;
    sessions->incarnation = new_incarnation(sessions->incarnation);
    sessions->has_met = true; /* whoever meets us next forgets */
    sessions->is_settled = false;
    end_ending(sessions);
}

/* A new operation, with room to wait in; NULL: it cannot be done now. */
static struct op *obtain_op(struct sessions *sessions)
{
    if (sessions->is_stopped)
        return NULL;
    if (sessions->waiting_bytes > LIMIT_DIRECTORY_WAITING_BYTES)
        start_over(sessions);
    struct op *op = sessions->is_stopped ? NULL : op_create();
    if (op)
        op->is_again = sessions->is_putting;
    return op;
}

void sessions_put(struct sessions *sessions, const struct engine_session *session,
                  engine_done_fn *on_done, void *ctx)
{
    struct op *op = obtain_op(sessions);
    enum status st = ST_NO_MEMORY;

    if (op) {
        directory_encode_put(session, &op->bytes);
        st = buf_status(&op->bytes);
    }
    if (st) {
        if (op)
            op_destroy(op);
        if (on_done && !sessions->is_stopped)
            on_done(ctx, st);
        return;
    }
    op->on_done = on_done;
    op->ctx = ctx;
    op->deadline_ms = on_done ? sessions->now_ms + DEADLINE_MS : 0;
    enqueue(sessions, op);
}

/* Once it is encoded. Who asks waits for a while; who tells need not know. */
static void submit(struct sessions *sessions, struct op *op)
{
    if (buf_status(&op->bytes)) {
        op_end(op, ST_NO_MEMORY);
        op_destroy(op);
        return;
    }
    if (op->on_found || op->on_seen)
        op->deadline_ms = sessions->now_ms + DEADLINE_MS;
    enqueue(sessions, op);
}

void sessions_drop(struct sessions *sessions, struct slice sid, uint64_t generation)
{
    struct op *op = obtain_op(sessions);

    if (op) {
        directory_drop_encode(sid, generation, &op->bytes);
        submit(sessions, op);
    }
}

void sessions_park(struct sessions *sessions, struct slice sid, uint64_t generation,
                   const struct position *proven)
{
    (void)proven;
    sessions_drop(sessions, sid, generation);
}

void sessions_prove(struct sessions *sessions, uint64_t epoch,
                    const struct engine_proof *proofs, size_t count)
{
    (void)sessions;
    (void)epoch;
    (void)proofs;
    (void)count;
}

void sessions_find(struct sessions *sessions, struct slice pid, engine_found_fn *on_found,
                   void *ctx)
{
    struct op *op = pid.len <= LIMIT_PID_BYTES ? obtain_op(sessions) : NULL;

    if (!op) {
        if (!sessions->is_stopped)
            on_found(ctx, pid.len > LIMIT_PID_BYTES ? ST_NOT_FOUND : ST_NO_MEMORY, NULL,
                     (struct slice){0});
        return;
    }
    directory_find_encode(pid, &op->bytes);
    op->on_found = on_found;
    op->ctx = ctx;
    submit(sessions, op);
}

void sessions_seen(struct sessions *sessions, struct slice nsp, struct slice user,
                   engine_seen_fn *on_seen, void *ctx)
{
    struct op *op = obtain_op(sessions);

    if (!op) {
        if (!sessions->is_stopped)
            on_seen(ctx, 0);
        return;
    }
    directory_seen_encode(nsp, user, &op->bytes);
    op->on_seen = on_seen;
    op->ctx = ctx;
    submit(sessions, op);
}

/* Counts the event among those that are under way until its operation is freed. */
static struct op *new_publish(struct sessions *sessions, struct slice envelope,
                              bool is_volatile)
{
    struct op *op = op_create();

    if (!op)
        return NULL;
    directory_publish_encode(sessions->serial + 1, is_volatile, envelope, &op->bytes);
    if (buf_status(&op->bytes)) {
        op_destroy(op);
        return NULL;
    }
    sessions->serial++;
    op->is_publish = true;
    op->incarnation = sessions->incarnation;
    op->published_bytes = &sessions->publishing_bytes;
    sessions->publishing_bytes += op->bytes.len;
    return op;
}

enum status sessions_publish(struct sessions *sessions, struct slice envelope,
                             bool is_volatile, engine_kept_fn *on_kept, void *ctx)
{
    if (sessions->is_stopped)
        return ST_DRAINING;
    if (envelope.len > LIMIT_ENVELOPE_BYTES)
        return ST_TOO_LARGE;
    if (sessions->publishing_bytes + envelope.len > LIMIT_GATEWAY_PUBLISH_BYTES)
        return ST_BUSY;
    struct op *op = new_publish(sessions, envelope, is_volatile);
    if (!op)
        return ST_NO_MEMORY;
    op->on_kept = on_kept;
    op->ctx = ctx;
    op->deadline_ms = sessions->now_ms + DEADLINE_MS;
    enqueue(sessions, op);
    return ST_OK;
}

/* What has not left is taken back; what is under way only loses its asker. */
static void expire(struct sessions *sessions)
{
    struct op *op = sessions->waiting.first, *next;

    op_list_clear(&sessions->waiting);
    for (; op; op = next) {
        next = op->next;
        bool has_expired = op_is_late(op, sessions->now_ms);
        if (has_expired)
            sessions->waiting_bytes -= op_cost(op);
        op->status = ST_UNAVAILABLE;
        op_list_add(has_expired ? &sessions->ending : &sessions->waiting, op);
    }
    while ((op = op_list_late(&sessions->asked, sessions->now_ms))) {
        struct op lost = *op;
        op->on_done = NULL;
        op->on_found = NULL;
        op->on_kept = NULL;
        op->on_seen = NULL;
        op->deadline_ms = 0;
        op_end(&lost, ST_UNAVAILABLE); /* may stop us: then nothing is asked any more */
    }
    end_ending(sessions);
}

void sessions_tick(struct sessions *sessions, uint64_t now_ms, bool is_ready)
{
    bool has_changed = sessions->is_ready != is_ready;

    sessions->now_ms = now_ms;
    sessions->is_ready = is_ready;
    expire(sessions);
    if (sessions->is_stopped)
        return;
    if (has_changed || now_ms - sessions->renewed_ms >= RENEW_MS)
        renew_lease(sessions);
    send_waiting(sessions);
}

bool sessions_is_ready(const struct sessions *sessions)
{
    bool is_in =
        sessions->standing == STANDING_KNOWN || sessions->standing == STANDING_NEW;

    return sessions->has_answer && is_in &&
           sessions->now_ms - sessions->answered_ms < SILENCE_MS;
}

bool sessions_are_written(const struct sessions *sessions)
{
    return !op_list_says_anything(&sessions->waiting) &&
           !op_list_says_anything(&sessions->asked);
}

static void end_all(struct op_list *ops)
{
    struct op_list ended = *ops;

    op_list_clear(ops);
    for (struct op *op; (op = op_list_take(&ended)); op_destroy(op))
        op_end(op, ST_DRAINING);
}

void sessions_stop(struct sessions *sessions)
{
    sessions->is_stopped = true;
    end_all(&sessions->answered);
    end_all(&sessions->ending);
    end_all(&sessions->asked);
    end_all(&sessions->waiting);
}
