/*
 * A client that comes and goes, and what is promised to it: the truth about its session,
 * which rooms it was in from where to where, and what it has heard. It keeps what a
 * client keeps: its ids and its offset.
 */
#ifndef TESTS_SIM_RECOVERY_GUEST_H
#define TESTS_SIM_RECOVERY_GUEST_H

#include "sim/recovery/house.h"
#include "sim/recovery/line.h"

enum {
    GUEST_STAYS = 64,
};

/* Once in a room: events after `joined` are for it, and none after `left`. Those up to
 * `before`, which it had proven elsewhere, need not come when it is back. */
struct guest_stay {
    unsigned room;
    uint64_t epoch, joined, left, before;
    bool is_known;   /* the guest was told that it is in */
    bool is_leaving; /* it asked to leave */
    bool is_over;    /* it was told that it is out */
};

struct guest_tally {
    uint64_t hellos, recovered, events, refused[RECOVERY_REASON_COUNT];
};

struct guest {
    struct world *world;
    const struct house *house;
    struct guest_tally *tally;
    const char *user;
    bool is_native;
    struct line *line; /* NULL: it is away */
    bool is_greeted;
    /* what a client keeps */
    char sid[LIMIT_SIO_SID_BYTES + 1], pid[LIMIT_PID_BYTES + 1]; /* empty: none */
    bool has_offset;
    struct position offset;
    bool went_back;      /* it came without an offset, once */
    bool brought_offset; /* when it came last */
    unsigned forbidden;  /* rooms that its token does not grant */
    /* the truth of its session */
    bool was_resynced;      /* the gateways know it once a pong has said so */
    uint64_t epoch, since;  /* it is everybody from there on */
    uint64_t last;          /* that it heard */
    uint64_t checked;       /* up to here nothing is missing */
    uint64_t resynced;      /* what came before may be missing, and it knows */
    bool has_ended;         /* by its own word */
    bool is_haunted;        /* a return that it gave up was completed all the same */
    struct position proven; /* the furthest that a gateway holds for proven */
    uint64_t lost_ms;       /* when its connection was lost */
    unsigned stay_count;
    struct guest_stay stays[GUEST_STAYS];
    bool got[HOUSE_EVENTS];
};

void guest_init(struct guest *guest, struct world *world, const struct house *house,
                const char *user, struct guest_tally *tally);

/* It hangs up, or notices that its connection is lost. */
void guest_lose(struct guest *guest);
/* The gateway has cut its line. */
void guest_is_cut(const struct line *line);
/* What comes down its line. */
void guest_hear(struct guest *guest, const struct line_frame *frame);
/* It asks for a room, or to leave one. */
void guest_ask(struct guest *guest, unsigned room);
/* It has heard all up to the head of the log. */
void guest_check_all(struct guest *guest);

/* --- what gateways do to its session, told to the truth --- */

void guest_proves(struct guest *guest, const struct position *at);
/* Number of the stay. */
unsigned guest_enters(struct guest *guest, unsigned room, const struct position *at);
void guest_exits(struct guest *guest, unsigned stay, uint64_t seq);
/* A gateway found it in this room since then; the number of the stay,
 * GUEST_STAYS: it left. */
unsigned guest_is_found(struct guest *guest, unsigned room, uint64_t joined);

/* What a gateway knew of a session that it does not take back. */
struct guest_case {
    uint64_t gate_epoch, session_epoch;
    uint64_t from; /* the highest that was known to have reached it */
    unsigned rooms;
    const uint64_t *joined;
};
/* Does the reason fit? Whoever could be recovered must be. */
void guest_check_refusal(struct guest *guest, enum recovery_reason reason,
                         const struct guest_case *known);

#endif
