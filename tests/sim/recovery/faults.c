/* Faults built in on purpose: see the header. */
#include "sim/recovery/faults.h"

const char *const fault_names[FAULT_COUNT] = {
    [FAULT_SENT_IS_PROVEN] = "what was sent counts as received when a client is gone",
    [FAULT_QUEUED_IS_PROVEN] = "a pong proves what was not read from the log yet",
    [FAULT_POSITION_LATE] = "the position moves after the page, by one too few",
    [FAULT_EPOCH] = "numbers of another epoch are taken for those of this one",
    [FAULT_FLOOR] = "the mark is off by one",
    [FAULT_MARKS] = "marks are ignored",
    [FAULT_ONE_FLOOR] = "a busy room takes from a quiet one",
    [FAULT_JOIN_SEQ] = "the join's place is ignored",
    [FAULT_JOIN_AT_HEAD] = "a join counts from the head of the log",
    [FAULT_JOIN_UNKEPT] = "a join is told before it is kept",
    [FAULT_LEFT_ROOM] = "a room that was left is replayed",
    [FAULT_GHOST] = "ghosts stay",
    [FAULT_TERM] = "who takes a session over does not outrank the ghost",
    [FAULT_PAGE_END] = "the end of a page is lost when there is no room",
    [FAULT_TOO_FAR] = "the replay reads on where live events have begun",
    [FAULT_LIVE_EVENT] = "a live event comes in the middle of the replay",
    [FAULT_HELD] = "what is let go is not read again",
    [FAULT_BEHIND] = "a gateway that is behind does not wait",
    [FAULT_NEW_BEHIND] = "a new session begins before what its client keeps",
    [FAULT_HELLO] = "what was missed comes before the hello",
    [FAULT_NO_REASON] = "nobody is told why",
    [FAULT_WRONG_REASON] = "too late is called unknown",
};
