/*
 * A gateway of a simulated house. What it decides about returns is decided by the real
 * parts (proto/recovery_proof, proto/past_reading, bridge/directory_serve, the log's
 * pages, bridge/engine_nng_recent); what it does between two decisions is a model of
 * client-gw: sessions, what they get live, and what they tell the directory.
 */
#ifndef TESTS_SIM_RECOVERY_GATE_H
#define TESTS_SIM_RECOVERY_GATE_H

#include "bridge/engine_nng_recent.h"
#include "proto/directory_wire.h"
#include "proto/past_reading.h"
#include "sim/recovery/faults.h"
#include "sim/recovery/guest.h"

enum {
    GATE_VISITS = 16,
    GATE_OPS = 64,
    GATE_HELD = 4,
    GATE_READY = 3,  /* of a first page */
    GATE_OUTBOX = 6, /* up to which a replay fills a line */
    GATE_PAGE = 400, /* bytes: some events */
    GATE_BEHIND_MS = 2000,
    GATE_WRITES = 4096, /* of a session, before its guest is back here */
};

enum visit_state {
    VISIT_FREE,
    VISIT_FINDING, /* the directory is asked who it was */
    VISIT_BEHIND,  /* the gateway is behind what it has seen */
    VISIT_PROVING, /* in its rooms, and the first page is asked for */
    VISIT_OPENING, /* the directory is told */
    VISIT_OPEN,
};

enum visit_fate {
    VISIT_OVER,
    VISIT_PARKED,
    VISIT_MOVED,
};

/* Events that wait, by number. */
struct gate_queue {
    unsigned count;
    unsigned numbers[8];
};

/* A page that a visit asked the log for. */
struct gate_page {
    enum {
        PAGE_NONE,
        PAGE_ASKED,
        PAGE_SERVED,
    } state;
    struct position after;
    uint64_t to;
    struct buf bytes; /* the request, then the answer */
};

struct visit {
    enum visit_state state;
    uint64_t serial; /* another one in the same place has another */
    struct gate *gate;
    struct line *line;
    struct guest *guest;
    char sid[LIMIT_SIO_SID_BYTES + 1], pid[LIMIT_PID_BYTES + 1];
    uint64_t generation;
    struct recovery_reach reach;
    unsigned rooms; /* a bit each */
    uint64_t joined[HOUSE_ROOMS];
    unsigned stays[HOUSE_ROOMS];
    bool is_told_of, is_answered, is_recovered, is_reading, was_rebased;
    enum recovery_reason reason; /* BEHIND: it waits for a new session */
    struct past_reading reading;
    struct gate_queue ready, held;
    struct gate_page page;
    /* of one that comes back */
    struct recovery_facts facts;
    uint64_t due_ms;
    uint64_t from; /* as found: for the truth */
};

enum op_kind {
    OP_TELL, /* nobody waits */
    OP_OPEN,
    OP_JOIN,
    OP_LEAVE,
    OP_FIND,
};

struct gate_op {
    enum op_kind kind;
    unsigned visit;
    uint64_t serial;
    unsigned room;
    uint64_t generation; /* of a put */
    char sid[LIMIT_SIO_SID_BYTES + 1];
    struct buf bytes;
};

struct gate {
    struct world *world;
    struct house *house;
    const char *id;
    enum gate_fault fault;
    struct position applied;
    struct recent *recent; /* NULL: it keeps none */
    bool has_recent;
    bool is_deaf; /* it does not know how far the log is */
    uint64_t incarnation, number, meeting;
    bool is_settled;
    unsigned first_op, op_count, asked_count; /* a ring; the first ones are asked */
    struct gate_op ops[GATE_OPS];
    struct buf answer; /* that is on its way; empty: none */
    uint64_t serials;
    uint64_t returns;
    uint64_t names; /* of sessions: shared by all gates, as randomness would be */
    struct visit visits[GATE_VISITS];
};

void gate_init(struct gate *gate, struct world *world, struct house *house,
               const char *id, enum gate_fault fault, uint64_t names);
void gate_finish(struct gate *gate);
/* Frees what schedules share. */
void gate_release(struct gate *gate);

/* It dies, with all that it knows, and begins again. */
void gate_restart(struct gate *gate);

/* A guest has come over `line`. False: there is no place. */
bool gate_accept(struct gate *gate, struct line *line);
/* The gateway notices that nobody is there any more. */
void gate_notice(struct visit *visit);
/* What comes up a line. */
void gate_hear(struct visit *visit, const struct line_frame *frame);
void gate_ping(struct visit *visit);

/* The next event; or that the log began anew, or has let go of what is next. False: there
 * is none. */
bool gate_apply(struct gate *gate);
/* Its next word with the directory: asks, or takes the answer. False: nothing to say. */
bool gate_talk(struct gate *gate);
/* It has yet to tell the directory of this session. */
bool gate_speaks_of(struct gate *gate, const char *sid);
void gate_renew(struct gate *gate);
/* Whatever it may do for the visit by itself. False: nothing. */
bool gate_work(struct visit *visit);

/* --- between its parts: gate.c, gate_directory.c, gate_return.c --- */

void visit_close(struct visit *visit, enum visit_fate fate);
void visit_send(struct visit *visit, unsigned number);
/* A new session, in no room. */
void visit_identify(struct visit *visit, enum recovery_reason reason);
void visit_found(struct visit *visit, const struct directory_result *result);
void visit_opened(struct visit *visit);
void visit_joined(struct visit *visit, unsigned room);
void visit_left(struct visit *visit, unsigned room);
/* While it reads the log: a live event. */
void visit_hold(struct visit *visit, unsigned number);
bool visit_is_current(const struct visit *visit);

void gate_put(struct visit *visit, enum op_kind kind, unsigned room);
void gate_tell_end(struct visit *visit, enum visit_fate fate);
void gate_tell_proof(struct visit *visit);
void gate_find(struct visit *visit);
struct visit *gate_visit_of(struct gate *gate, struct slice sid, const struct visit *but);

#endif
