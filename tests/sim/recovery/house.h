/*
 * The publisher's side of a simulated house, out of real parts: the log with what
 * retention removes, pages of it, and the directory. Beside them stands the truth: which
 * events there ever were.
 */
#ifndef TESTS_SIM_RECOVERY_HOUSE_H
#define TESTS_SIM_RECOVERY_HOUSE_H

#include "bridge/directory.h"
#include "bridge/engine_nng_pages.h"
#include "sim/lib/world.h"

enum {
    HOUSE_EVENTS = 512,
    HOUSE_ROOMS = 4,
    HOUSE_EVERYBODY = 1 << HOUSE_ROOMS, /* in a set of rooms */
    HOUSE_WINDOW_MS = 5000,
};

struct house_event {
    struct position at;
    unsigned rooms; /* a bit each */
    bool is_volatile;
    bool is_gone; /* retention has removed it */
};

struct house {
    struct world *world;
    struct event_log *log;
    struct page_server *pages;
    struct directory *directory;
    struct position head;
    unsigned keep;  /* events of a log */
    unsigned first; /* event of this epoch */
    unsigned count;
    struct buf scratch;
    struct house_event events[HOUSE_EVENTS];
};

void house_init(struct house *house, struct world *world);
void house_finish(struct house *house);

bool house_is_full(const struct house *house);
void house_publish(struct house *house, unsigned rooms, bool is_volatile);
void house_trim(struct house *house);
/* The log begins a new epoch; the directory goes on, as from its rows. */
void house_begin_anew(struct house *house);

/* Number of the event of this epoch that has the seq. */
unsigned house_event_at(const struct house *house, uint64_t seq);
/* Its envelope, until the next call; what the envelope of an event says of its number. */
struct slice house_envelope(struct house *house, unsigned number);
unsigned house_number_of(const struct envelope *envelope);
struct room_key house_room(unsigned room);
unsigned house_room_number(struct slice name);

#endif
