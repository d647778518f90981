/*
 * The directory's client: see the header. Operations are encoded when they come up and
 * sent in their order; the answers stand in the same order.
 */
#include "bridge/engine_nng_sessions_parts.h"

#include "bridge/clock.h"
#include "bridge/random.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    SILENCE_MS = 3000,
    RENEW_MS = 1000,
    MAX_OPS = 1000, /* of one request */
    MAX_FINDS = 64, /* of one request: their answers share one message */
    HEAD_MAX_BYTES = 128,
    FAREWELL_MS = 250,
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

/* The next request with these operations, which it ends; false: it cannot be made. */
static bool make_request(struct sessions *sessions, struct buf *ops, uint32_t count,
                         struct buf *request)
{
    const struct directory_request head = {
        .gateway = slice_of(sessions->config.gateway_id),
        .incarnation = sessions->incarnation,
        .number = ++sessions->number,
        .meeting = sessions->meeting,
        .count = count,
    };

    request->max = LIMIT_DIRECTORY_BYTES + HEAD_MAX_BYTES;
    directory_request_encode(&head, request);
    buf_add(request, buf_slice(ops));
    bool is_made = !buf_status(ops) && !buf_status(request);
    buf_finish(ops);
    if (!is_made)
        buf_finish(request);
    return is_made;
}

static void send_waiting(struct sessions *sessions)
{
    struct buf ops = {.max = LIMIT_DIRECTORY_BYTES};
    struct buf request = {0};
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
    if (make_request(sessions, &ops, count, &request))
        asker_ask(sessions->asker, &request);
    else
        put_back(sessions); /* half a request would never be answered */
}

/* Who asks is not there any more; what is told counts. */
void sessions_leave(struct sessions *sessions)
{
    struct buf ops = {.max = LIMIT_DIRECTORY_BYTES};
    struct buf request = {0};
    uint32_t count = 1;

    if (!sessions->is_open || sessions->is_stopped || !sessions_is_ready(sessions))
        return;
    for (const struct op *op = sessions->waiting.first; op; op = op->next) {
        if (op->deadline_ms != 0 || ops.len + op->bytes.len >= ops.max)
            continue;
        buf_add(&ops, buf_slice(&op->bytes));
        count++;
    }
    directory_leave_encode(&ops);
    if (make_request(sessions, &ops, count, &request))
        asker_part(sessions->asker, &request, FAREWELL_MS);
}

void sessions_enqueue(struct sessions *sessions, struct op *op)
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

/* Finds that were put off are asked again: once something is found, at once. */
static void ask_later_ones(struct sessions *sessions, size_t max)
{
    for (struct op *op; max > 0 && (op = op_list_take(&sessions->later)); max--) {
        op_list_add(&sessions->waiting, op);
        sessions->waiting_bytes += op_cost(op);
    }
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
        op->on_found(op->ctx, op_status_of(result->outcome), &session, result->gateway);
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
    op->deadline_ms = sessions->now_ms + SESSIONS_DEADLINE_MS;
    sessions->renewed_ms = sessions->now_ms;
    sessions_enqueue(sessions, op);
}

/* Ends every operation of the request; results that are not there are failures. */
static void give_results(struct sessions *sessions, const struct directory_answer *answer)
{
    struct slice rest = answer->results;
    uint32_t left = answer->count;
    struct directory_result result;
    bool has_found = false;

    /* From its own list: what a callback asks may be sent at once, and it may stop us. */
    while (sessions->asked.first)
        op_list_add(&sessions->answered, op_list_take(&sessions->asked));
    for (struct op *op; (op = op_list_take(&sessions->answered));) {
        bool has_result = left > 0 && directory_result_next(&rest, &result);
        left -= has_result;
        if (has_result && result.outcome == OUTCOME_LATER) {
            op_list_add(&sessions->later, op);
            continue;
        }
        if (has_result && result.outcome == OUTCOME_ELSEWHERE)
            tell_moved(sessions, op);
        has_found |= has_result && op->on_found;
        if (has_result && op->on_found)
            give_found(op, &result);
        else if (has_result && op->on_kept)
            give_kept(op, &result);
        else if (has_result && op->on_seen)
            op->on_seen(op->ctx, result.seen_ms);
        else
            op_end(op, has_result ? op_status_of(result.outcome) : ST_UNAVAILABLE);
        op_destroy(op);
    }
    if (has_found)
        ask_later_ones(sessions, SIZE_MAX);
}

/* Sessions that somebody else has by now. There may be more of them: the next lease,
 * which asks for them, leaves at once. */
static void give_moved(struct sessions *sessions, const struct directory_answer *answer)
{
    struct slice rest = answer->moved;
    struct wire_named moved;

    for (size_t i = 0; i < answer->moved_count && !sessions->is_stopped; i++)
        if (wire_named_next(&rest, &moved))
            sessions->config.on_moved(sessions->config.ctx, moved.name, moved.number);
    if (answer->moved_count > 0 && !sessions->is_stopped)
        renew_lease(sessions);
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
    if (answer.standing == STANDING_NEW) {
        sessions->meeting = answer.meeting;
        unsettle(sessions); /* before a result makes somebody send what waits */
    }
    give_results(sessions, &answer);
    if (!sessions->is_stopped)
        give_moved(sessions, &answer);
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
    op_list_clear(&sessions->later);
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
 * directory will park what it has of the old one and ask for every session. Of those that
 * ended meanwhile it must hear all the same; the first of them are those that it knows.
 */
static void start_over(struct sessions *sessions)
{
    struct op_list waiting = sessions->waiting;
    size_t bytes = 0;

    op_list_clear(&sessions->waiting);
    for (struct op *op; (op = op_list_take(&waiting));) {
        bool is_kept = op->is_end && bytes < LIMIT_DIRECTORY_WAITING_BYTES / 2;
        if (is_kept)
            bytes += op_cost(op);
        op->status = ST_UNAVAILABLE;
        op_list_add(is_kept ? &sessions->waiting : &sessions->ending, op);
    }
    sessions->waiting_bytes = bytes;
    sessions->incarnation = new_incarnation(sessions->incarnation);
    sessions->has_met = true; /* whoever meets us next forgets */
    sessions->is_settled = false;
    end_ending(sessions);
}

struct op *sessions_obtain_op(struct sessions *sessions)
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

/* Those that have waited too long are to be ended. */
static void sort_out(struct sessions *sessions, struct op_list *list, bool is_counted)
{
    struct op *op = list->first, *next;

    op_list_clear(list);
    for (; op; op = next) {
        next = op->next;
        bool has_expired = op_is_late(op, sessions->now_ms);
        if (has_expired && is_counted)
            sessions->waiting_bytes -= op_cost(op);
        op->status = ST_UNAVAILABLE;
        op_list_add(has_expired ? &sessions->ending : list, op);
    }
}

/* What has not left is taken back; what is under way only loses its asker. */
static void expire(struct sessions *sessions)
{
    struct op *op;

    sort_out(sessions, &sessions->waiting, true);
    sort_out(sessions, &sessions->later, false);
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
    /* So many that one request answers them: the others follow once it knows. */
    ask_later_ones(sessions, MAX_FINDS);
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
    end_all(&sessions->later);
    end_all(&sessions->waiting);
}
