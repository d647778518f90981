/*
 * Whether a client that comes back can be given all that it missed: numbers of the log
 * in, a verdict out. Per room, what comes after its base is owed to the session:
 *
 *     base(room) = max(what the client says it has, when it joined, what is proven)
 *
 * and the room is complete when nothing after the base has been removed from the log: the
 * room's mark, the highest seq of it that was removed, is not above the base.
 */
#ifndef PROTO_RECOVERY_PROOF_H
#define PROTO_RECOVERY_PROOF_H

#include "proto/position.h"

#include <stdbool.h>

/* Why a client that came back was not recovered. */
enum recovery_reason {
    RECOVERY_FINE, /* it was, or it did not come back */
    RECOVERY_HISTORY_OVERFLOW,
    RECOVERY_EPOCH_CHANGED,
    RECOVERY_UNKNOWN_SESSION,
    RECOVERY_EXPIRED,
    RECOVERY_FORBIDDEN,
    RECOVERY_BUS_DOWN,
    RECOVERY_REASON_COUNT
};

/* The word in logs, metrics and messages; empty for RECOVERY_FINE. */
const char *recovery_reason_text(enum recovery_reason reason);

/* What is known of a session that a client comes back to. */
struct recovery_facts {
    uint64_t log_epoch;     /* of the log, as this gateway knows it */
    uint64_t session_epoch; /* in which the session's numbers are; 0: the client was told
                               to go on from `proven`, and nobody knows if it heard */
    bool has_offset;        /* the client says what it has */
    bool keeps_offset;      /* of whatever session it heard last in: one of another log
                               than this session's is from before it */
    struct position offset;
    uint64_t proven;      /* everything up to here has reached the client */
    uint64_t last_joined; /* the highest of its rooms */
    uint64_t applied;     /* how far this gateway is */
    bool is_ready;        /* it has applied all that there is, as far as it knows */
    bool is_late;         /* it was waited for long enough */
};

enum recovery_verdict {
    RECOVERY_GO,      /* the marks decide */
    RECOVERY_WAIT,    /* this gateway is behind what the session has seen */
    RECOVERY_PUT_OFF, /* nobody can tell at the moment: the client is to come again */
    RECOVERY_LOST,    /* `*reason` says why */
};

enum recovery_verdict recovery_judge(const struct recovery_facts *facts,
                                     enum recovery_reason *reason);
/* A new session instead: not before the place that its client keeps, which would count
 * as heard in it. Never RECOVERY_LOST. */
enum recovery_verdict recovery_judge_new(const struct recovery_facts *facts);

/* Everything of whatever room of the session up to here has reached the client. */
uint64_t recovery_from(const struct recovery_facts *facts);
/* base(room), of a room joined at `joined`. */
uint64_t recovery_base(uint64_t from, uint64_t joined);
/* A page is read on after `after`: is anything gone that the room is owed? */
bool recovery_is_complete(uint64_t base, uint64_t after, uint64_t mark);
/* The same of a page that has come: of a log in `epoch`, with the highest mark of those
 * of its rooms that are not complete. */
enum recovery_page {
    RECOVERY_PAGE_WHOLE,
    RECOVERY_PAGE_GONE,  /* something that is owed is not there any more */
    RECOVERY_PAGE_OTHER, /* it is another log by now */
};
enum recovery_page recovery_judge_page(const struct position *after, uint64_t epoch,
                                       uint64_t mark);

/* What has reached a client that is connected, for certain. */
struct recovery_reach {
    uint64_t proven; /* everything for it up to here has */
    uint64_t pinged; /* what was sent before the first ping that is out */
    bool is_pinged;  /* and that is known */
    unsigned out;    /* pings without their pong */
    bool is_unsure;  /* it was told to go on from `proven`; nobody knows if it heard */
};

/* A ping goes out behind all that was sent up to `sent`. */
void recovery_pinged(struct recovery_reach *reach, uint64_t sent);
/* The answer to one of them has come, and which is not known: the first one. True: more
 * is proven than before. */
bool recovery_ponged(struct recovery_reach *reach);

#endif
