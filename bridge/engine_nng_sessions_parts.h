/*
 * Inside a gateway's end of the directory: its memory, how requests and answers go
 * (engine_nng_sessions.c), and what may be told and asked (engine_nng_tell.c). Nobody
 * else includes this.
 */
#ifndef BRIDGE_ENGINE_NNG_SESSIONS_PARTS_H
#define BRIDGE_ENGINE_NNG_SESSIONS_PARTS_H

#include "bridge/directory_serve.h"
#include "bridge/engine_nng_ask.h"
#include "bridge/engine_nng_op.h"
#include "bridge/engine_nng_sessions.h"

enum {
    SESSIONS_DEADLINE_MS = 2000,
};

struct sessions {
    struct sessions_config config;
    struct asker *asker;
    uint64_t incarnation;
    uint64_t number;         /* of the request under way, or the last */
    uint64_t meeting;        /* that was heard of last; 0: none */
    struct op_list waiting;  /* not sent yet */
    struct op_list asked;    /* of the request under way */
    struct op_list answered; /* those whose results are being given */
    struct op_list ending;   /* to be told `status` */
    struct op_list later;    /* finds that are to be asked again */
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

/* A new operation, with room to wait in; NULL: it cannot be done now. */
struct op *sessions_obtain_op(struct sessions *sessions);
/* Takes it; it leaves with the next request. */
void sessions_enqueue(struct sessions *sessions, struct op *op);

#endif
