/* Publishes in flight: see the header. */
#include "publisher-api/publish_call.h"

#include "bridge/clock.h"
#include "bridge/digest.h"
#include "bridge/random.h"
#include "bridge/testing/test_hook.h"
#include "proto/ident.h"
#include "publisher-api/reply.h"

#include <stdlib.h>
#include <string.h>

enum {
    POOL_CALLS = 1024,      /* kept for the next ones */
    POOL_ROOMS_BYTES = 512, /* of memory that a call in the pool keeps */
};

/* The parts of an answer that are waited for; the exchange is answered when none is. */
enum call_wait {
    WAIT_SUBMIT = 1, /* the engine may answer before it returns */
    WAIT_KEPT = 2,
    WAIT_COUNT = 4,
};

struct publish_call {
    struct publish_calls *calls;
    struct publish_call *next; /* in the pool */
    struct publish_teller teller;
    struct http_exchange *exchange; /* NULL: the peer has left */
    unsigned waits;                 /* of enum call_wait */
    size_t uncounted;               /* targets that the engine has not answered */
    uint64_t users, online;         /* counted one by one; users 0: they are not */
    uint32_t ticket;                /* 0: none */
    struct log_key key;             /* with a ticket: kept with the event */
    enum status kept;
    struct position position;
    struct engine_count count;
    struct buf rooms;
    size_t id_len;
    char id[LIMIT_EVENT_ID_BYTES + 1];
};

struct publish_calls {
    struct publish_calls_config config;
    struct publish_call *pool;
    size_t pooled, open;
    bool is_closed; /* destroyed while calls were open: the last one frees it */
    struct ident_ulids ulids;
    struct digester *digester;
    struct buf wire, body, rooms; /* scratch */
};

const struct http_header publish_replayed = {"Idempotency-Replayed", "true"};

struct publish_calls *publish_calls_create(const struct publish_calls_config *config)
{
    struct publish_calls *calls = calloc(1, sizeof *calls);

    if (!calls)
        return NULL;
    calls->digester = digester_create();
    if (!calls->digester) {
        free(calls);
        return NULL;
    }
    calls->config = *config;
    calls->wire.max = LIMIT_EMIT_NAMES * LIMIT_ENVELOPE_BYTES;
    calls->body.max = REPLY_BYTES;
    calls->rooms.max = REPLY_ROOMS_BYTES;
    return calls;
}

void publish_calls_destroy(struct publish_calls *calls)
{
    if (!calls)
        return;
    while (calls->pool) {
        struct publish_call *call = calls->pool;
        calls->pool = call->next;
        buf_finish(&call->rooms);
        free(call);
    }
    digester_destroy(calls->digester);
    buf_finish(&calls->wire);
    buf_finish(&calls->body);
    buf_finish(&calls->rooms);
    calls->is_closed = true;
    if (calls->open == 0)
        free(calls);
}

size_t publish_calls_open(const struct publish_calls *calls)
{
    return calls->open;
}

static struct publish_call *call_take(struct publish_calls *calls)
{
    struct publish_call *call = calls->pool;

    if (call) {
        calls->pool = call->next;
        calls->pooled--;
    } else {
        call = calloc(1, sizeof *call);
        if (!call)
            return NULL;
        call->calls = calls;
        call->rooms.max = REPLY_ROOMS_BYTES;
    }
    call->exchange = NULL;
    call->waits = WAIT_SUBMIT;
    call->uncounted = 0;
    call->users = call->online = 0;
    call->ticket = 0;
    call->kept = ST_OK;
    call->count = (struct engine_count){.complete = true};
    call->teller = (struct publish_teller){0};
    buf_clear(&call->rooms);
    calls->open++;
    return call;
}

static void call_give_back(struct publish_call *call)
{
    struct publish_calls *calls = call->calls;

    calls->open--;
    if (call->teller.done)
        call->teller.done(call->teller.ctx);
    if (call->rooms.cap > POOL_ROOMS_BYTES)
        buf_finish(&call->rooms);
    if (!calls->is_closed && calls->pooled < POOL_CALLS) {
        call->rooms.max = REPLY_ROOMS_BYTES;
        call->next = calls->pool;
        calls->pool = call;
        calls->pooled++;
        return;
    }
    buf_finish(&call->rooms);
    free(call);
    if (calls->is_closed && calls->open == 0)
        free(calls);
}

/* --- answers */

static void answer_problem(struct publish_calls *calls, struct http_exchange *exchange,
                           const struct publish_teller *teller, enum status status,
                           const char *detail, const char *hint)
{
    struct problem problem = {.status = status, .detail = detail, .hint = hint};

    metrics_add(calls->config.metrics, METRIC_PUBLISH_REFUSED, 1);
    if (teller->refused)
        teller->refused(teller->ctx, exchange, &problem);
    else
        http_problem(exchange, &problem);
}

static void answer_not_kept(struct publish_calls *calls, struct http_exchange *exchange,
                            const struct publish_teller *teller, enum status status)
{
    const char *detail = "The log could not keep the event; it was not published.";

    if (status == ST_BUSY || status == ST_NO_MEMORY)
        detail = "Too many events wait to be kept; this one was not published.";
    else if (status == ST_DRAINING)
        detail = "The server is stopping; the event was not published.";
    else if (status == ST_BUS_DOWN)
        detail = "The bus is down; the event was not published.";
    answer_problem(calls, exchange, teller, status, detail,
                   "Send the same request again after Retry-After; with an id in it, it "
                   "cannot be published twice.");
}

static void answer(struct publish_calls *calls, struct http_exchange *exchange,
                   const struct publish_teller *teller, const struct reply *reply)
{
    if (teller->kept) {
        teller->kept(teller->ctx, exchange, reply);
        return;
    }
    buf_clear(&calls->body);
    reply_encode(&calls->body, reply);
    if (buf_status(&calls->body)) {
        answer_problem(calls, exchange, teller, ST_INTERNAL,
                       "The event was published, but its answer could not be written.",
                       NULL);
        return;
    }
    http_reply(exchange, &(struct http_reply){
                             .status = 202,
                             .content_type = "application/json",
                             .body = buf_slice(&calls->body),
                             .headers = &publish_replayed,
                             .header_count = reply->duplicate ? 1 : 0,
                         });
}

/* --- a call's end */

static void on_gone(void *ctx)
{
    struct publish_call *call = ctx;
    call->exchange = NULL;
}

/* Nothing was counted and somebody is missing: then nobody knows. */
static bool is_counted(const struct engine_count *count)
{
    return !count->is_rebuilding && (count->complete || count->connections > 0);
}

/* What the log keeps beside the event: what is counted by now, that is, by an engine
 * that answers at once. */
static void call_describe(struct publish_call *call)
{
    uint64_t n = call->count.connections;
    bool is_known = call->uncounted == 0;

    call->key.recipients = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    call->key.has_recipients = is_known && is_counted(&call->count);
    call->key.complete = is_known && call->count.complete;
}

static void call_remember(struct publish_call *call)
{
    call_describe(call);
    const struct idempotency_answer first = {
        .position = call->position,
        .recipients = call->key.recipients,
        .has_recipients = call->key.has_recipients,
        .complete = call->key.complete,
    };
    idempotency_keep(call->calls->config.idempotency, call->ticket, &first);
}

static void call_finish(struct publish_call *call)
{
    struct publish_calls *calls = call->calls;

    if (call->kept == ST_OK) {
        metrics_add(calls->config.metrics, METRIC_PUBLISHED, 1);
        if (call->ticket)
            call_remember(call);
    } else if (call->ticket) {
        idempotency_forget(calls->config.idempotency, call->ticket);
    }

    if (call->exchange && call->kept != ST_OK) {
        answer_not_kept(calls, call->exchange, &call->teller, call->kept);
    } else if (call->exchange) {
        const struct reply reply = {
            .id = {call->id,               call->id_len },
            .position = call->position,
            .durability = calls->config.engine->ops->durability(calls->config.engine),
            .recipients = call->count.connections,
            .has_recipients = is_counted(&call->count),
            .complete = call->count.complete,
            .rooms = buf_slice(&call->rooms),
            .users = { .is_counted = call->users > 0,
                   .is_known = call->count.complete && !call->count.is_rebuilding,
                   .online = call->online,
                   .offline = call->users - call->online},
        };
        answer(calls, call->exchange, &call->teller, &reply);
    }
}

static void call_arrived(struct publish_call *call, enum call_wait what)
{
    call->waits &= ~(unsigned)what;
    if (call->waits)
        return;
    if (!call->calls->is_closed)
        call_finish(call);
    call_give_back(call);
}

static void on_kept(void *ctx, enum status status, const struct position *position)
{
    struct publish_call *call = ctx;

    if (status == ST_OK)
        call->position = *position;
    else
        call->kept = status;
    call_arrived(call, WAIT_KEPT);
}

static void on_count(void *ctx, const struct engine_count *count)
{
    struct publish_call *call = ctx;
    struct engine_count *sum = &call->count;

    sum->connections += count->connections;
    sum->complete &= count->complete;
    sum->is_rebuilding |= count->is_rebuilding;
    call->online += call->users > 0 && count->connections > 0;
    if (--call->uncounted == 0)
        call_arrived(call, WAIT_COUNT);
}

/* --- a call's beginning */

static void give_ulid(struct publish_calls *calls, struct publish_call *call,
                      struct envelope *envelope)
{
    uint8_t fresh[IDENT_ULID_RANDOM_BYTES] = {0};

    /* Inside one millisecond the ULIDs count on: no new bytes are needed. */
    if (calls->ulids.ms != (uint64_t)envelope->at_ms)
        random_bytes(fresh, sizeof fresh);
    ident_ulid_next(&calls->ulids, envelope->at_ms, fresh, call->id);
    call->id_len = IDENT_ULID_BYTES;
    envelope->id = (struct slice){call->id, call->id_len};
}

/* Gives the encoded event, or one under each of the names that clients get it under; how
 * many. They lie in `wire`: buf_status. */
static size_t encode_names(const struct envelope *envelope, const struct event_rule *rule,
                           struct buf *wire, struct engine_entry *entries)
{
    size_t names = rule ? event_rule_emit_count(rule) : 0;
    size_t count = names > 0 ? names : 1;
    struct envelope named = *envelope;
    size_t at = 0;

    buf_clear(wire);
    for (size_t i = 0; i < count; i++) {
        if (names > 0) {
            struct event_name name = event_rule_emit_name(rule, i);
            named.event = name.text;
            named.event_json = name.json;
        }
        envelope_encode(&named, wire);
        entries[i].is_volatile = envelope->flags & ENVELOPE_VOLATILE;
        entries[i].envelope.len = wire->len - at;
        at = wire->len;
    }
    for (size_t i = count; i-- > 0;) {
        at -= entries[i].envelope.len;
        entries[i].envelope.ptr = wire->ptr + at;
    }
    return count;
}

/* All names with the key, or nothing; on_kept will say what came of it. */
static enum status append_all(struct publish_call *call, const struct envelope *envelope,
                              const struct event_rule *rule)
{
    struct publish_calls *calls = call->calls;
    struct engine *engine = calls->config.engine;
    struct engine_entry entries[LIMIT_EMIT_NAMES];
    const struct engine_append what = {
        .entries = entries,
        .count = encode_names(envelope, rule, &calls->wire, entries),
        .key = call->ticket ? &call->key : NULL,
    };
    enum status st = buf_status(&calls->wire);

    if (!st) {
        call->waits |= WAIT_KEPT;
        st = engine->ops->append(engine, &what, on_kept, call);
    }
    if (st)
        call->waits &= ~(unsigned)WAIT_KEPT;
    if (calls->wire.cap > LIMIT_ENVELOPE_BYTES)
        buf_finish(&calls->wire);
    return st;
}

static void count_all(struct publish_call *call, const struct envelope *envelope)
{
    struct engine *engine = call->calls->config.engine;

    call->uncounted = 1;
    engine->ops->count(engine, envelope->nsp, envelope->targets, envelope->target_count,
                       envelope->except, envelope->except_count, on_count, call);
}

/* Each user alone: no connection is two users'. */
static void count_users(struct publish_call *call, const struct envelope *envelope)
{
    struct engine *engine = call->calls->config.engine;

    call->uncounted = envelope->target_count;
    for (size_t i = 0; i < envelope->target_count; i++)
        engine->ops->count(engine, envelope->nsp, &envelope->targets[i], 1,
                           envelope->except, envelope->except_count, on_count, call);
}

/* Counted first: who is there when the event is accepted, and the log keeps the number
 * with the key. */
static enum status call_append(struct publish_call *call,
                               const struct publish_order *order)
{
    const struct envelope *envelope = order->envelope;

    reply_add_rooms(&call->rooms, envelope->targets, envelope->target_count);
    enum status st = buf_status(&call->rooms);
    if (st)
        return st;
    call->waits |= WAIT_COUNT;
    call->users = order->counts_users ? envelope->target_count : 0;
    if (call->users > 0)
        count_users(call, envelope);
    else
        count_all(call, envelope);
    call_describe(call);
    return append_all(call, envelope, order->rule);
}

static void tell_done(const struct publish_teller *teller)
{
    if (teller->done)
        teller->done(teller->ctx);
}

static void publish(struct publish_calls *calls, struct http_exchange *exchange,
                    const struct publish_order *order, uint32_t ticket,
                    const struct log_key *key)
{
    struct envelope *envelope = order->envelope;
    struct publish_call *call = call_take(calls);

    if (!call) {
        if (ticket)
            idempotency_forget(calls->config.idempotency, ticket);
        answer_not_kept(calls, exchange, &order->teller, ST_NO_MEMORY);
        tell_done(&order->teller);
        return;
    }
    call->exchange = exchange;
    call->teller = order->teller;
    call->ticket = ticket;
    call->key = *key;
    if (!order->has_id) {
        give_ulid(calls, call, envelope);
    } else {
        call->id_len = envelope->id.len;
        memcpy(call->id, envelope->id.ptr, envelope->id.len);
    }
    enum status st = call_append(call, order);
    if (st)
        call->kept = st;
    log_debug(calls->config.log, "publish accepted", LOG_TEXT("caller", order->caller),
              LOG_SLICE("id", envelope->id), LOG_SLICE("event", envelope->event),
              LOG_SLICE("rooms", buf_slice(&call->rooms)),
              LOG_SLICE("request_id", envelope->request_id));
    if (call->waits & (WAIT_KEPT | WAIT_COUNT))
        http_exchange_on_gone(exchange, on_gone, call);
    call_arrived(call, WAIT_SUBMIT);
}

static void answer_again(struct publish_calls *calls, struct http_exchange *exchange,
                         const struct publish_order *order,
                         const struct idempotency_answer *first)
{
    const struct envelope *envelope = order->envelope;

    metrics_add(calls->config.metrics, METRIC_PUBLISH_DUPLICATES, 1);
    buf_clear(&calls->rooms);
    reply_add_rooms(&calls->rooms, envelope->targets, envelope->target_count);
    const struct reply reply = {
        .id = envelope->id,
        .position = first->position,
        .durability = calls->config.engine->ops->durability(calls->config.engine),
        .recipients = first->recipients,
        .has_recipients = first->has_recipients,
        .complete = first->complete,
        .duplicate = true,
        .rooms = buf_slice(&calls->rooms),
        .users = {.is_counted = order->counts_users}, /* how many is not remembered */
    };
    answer(calls, exchange, &order->teller, &reply);
}

static void refuse_id(struct publish_calls *calls, struct http_exchange *exchange,
                      const struct publish_teller *teller, enum status status)
{
    switch (status) {
    case ST_CONFLICT:
        answer_problem(calls, exchange, teller, status,
                       "An event with the same id is being published at this moment.",
                       "Send it again a moment later: you will get the first answer.");
        return;
    case ST_ID_REUSED:
        answer_problem(calls, exchange, teller, status,
                       "The same id was used before, with another body.",
                       "Give each event an id of its own; repeat an id only with exactly "
                       "the same body.");
        return;
    default: answer_not_kept(calls, exchange, teller, status);
    }
}

/* A user's ids are no backend's, whatever is guessed: no id has a line's end. */
static struct slice known_as(const struct publish_order *order, struct buf *name)
{
    if (order->id_owner.len == 0)
        return order->envelope->id;
    buf_add(name, order->id_owner);
    buf_add_byte(name, '\n');
    buf_add(name, order->envelope->id);
    return buf_slice(name);
}

static struct log_key key_of(struct publish_calls *calls,
                             const struct publish_order *order)
{
    char memory[LIMIT_USER_BYTES + 1 + LIMIT_EVENT_ID_BYTES];
    struct buf name = {.ptr = memory, .cap = sizeof memory, .max = sizeof memory};
    unsigned char digest[DIGEST_SHA256_BYTES];
    struct log_key key = {.has_recipients = false};

    digester_sha256(calls->digester, known_as(order, &name), digest);
    memcpy(key.id, digest, sizeof key.id);
    digester_sha256(calls->digester, order->body, digest);
    memcpy(key.body, digest, sizeof key.body);
    return key;
}

void publish_calls_submit(struct publish_calls *calls, struct http_exchange *exchange,
                          const struct publish_order *order)
{
    struct log_key key = {.has_recipients = false};
    struct idempotency_answer first;
    uint32_t ticket = 0;
    bool known = false;

    if (order->has_id && !test_hook_no_idempotency()) {
        key = key_of(calls, order);
        enum status st = idempotency_begin(calls->config.idempotency, &key, clock_ms(),
                                           &ticket, &known, &first);
        if (st) {
            refuse_id(calls, exchange, &order->teller, st);
            tell_done(&order->teller);
            return;
        }
    }
    if (!known) {
        publish(calls, exchange, order, ticket, &key);
        return;
    }
    answer_again(calls, exchange, order, &first);
    tell_done(&order->teller);
}
