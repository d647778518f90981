/* What a gateway tells and asks the directory: see engine_nng_sessions.h. */
#include "bridge/engine_nng_sessions_parts.h"

enum {
    MAX_PROOFS = 1000, /* in one operation */
};

void sessions_put(struct sessions *sessions, const struct engine_session *session,
                  engine_done_fn *on_done, void *ctx)
{
    struct op *op = sessions_obtain_op(sessions);
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
    op->deadline_ms = on_done ? sessions->now_ms + SESSIONS_DEADLINE_MS : 0;
    sessions_enqueue(sessions, op);
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
        op->deadline_ms = sessions->now_ms + SESSIONS_DEADLINE_MS;
    sessions_enqueue(sessions, op);
}

void sessions_drop(struct sessions *sessions, struct slice sid, uint64_t generation)
{
    struct op *op = sessions_obtain_op(sessions);

    if (op) {
        op->is_end = true;
        directory_drop_encode(sid, generation, &op->bytes);
        submit(sessions, op);
    }
}

void sessions_park(struct sessions *sessions, struct slice sid, uint64_t generation,
                   const struct position *proven)
{
    const struct wire_session session = {
        .sid = sid,
        .generation = generation,
        .epoch = proven->epoch,
        .proven = proven->seq,
    };
    struct op *op = sessions_obtain_op(sessions);

    if (op) {
        op->is_end = true;
        directory_park_encode(&session, &op->bytes);
        submit(sessions, op);
    }
}

/* They wait no longer than a question does: there will be new ones. */
void sessions_prove(struct sessions *sessions, uint64_t epoch,
                    const struct engine_proof *proofs, size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t n = count - at < MAX_PROOFS ? count - at : MAX_PROOFS;
        struct op *op = sessions_obtain_op(sessions);
        if (!op)
            return;
        directory_prove_encode(epoch, (uint32_t)n, &op->bytes);
        for (size_t end = at + n; at < end; at++)
            wire_named_add(&op->bytes, proofs[at].sid, proofs[at].seq);
        op->deadline_ms = sessions->now_ms + SESSIONS_DEADLINE_MS;
        submit(sessions, op);
    }
}

void sessions_find(struct sessions *sessions, struct slice pid, engine_found_fn *on_found,
                   void *ctx)
{
    struct op *op = pid.len <= LIMIT_PID_BYTES ? sessions_obtain_op(sessions) : NULL;

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
    struct op *op = sessions_obtain_op(sessions);

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
    op->deadline_ms = sessions->now_ms + SESSIONS_DEADLINE_MS;
    sessions_enqueue(sessions, op);
    return ST_OK;
}
