/*
 * Which events of a few rooms' past somebody gets who asks by time: the newest or the
 * oldest ones, so many of each room, so many in all; and of which rooms there were more.
 * An event is given that is in the range of any of its rooms and has a history.
 * Works on the log's index in slices, between which its owner lets go of the lock.
 */
#ifndef BRIDGE_ROOM_PAST_H
#define BRIDGE_ROOM_PAST_H

#include "bridge/room_index.h"

/* One room that is asked for, and what became of it. */
struct past_room {
    uint64_t hash;
    uint64_t max;     /* events */
    int64_t since_ms; /* that were accepted from then on … */
    int64_t asked_ms; /* … though all from here on were asked for: not later */
    size_t place;     /* the caller's: where it stood among the others */
    /* filled in */
    uint64_t after, asked_after; /* the same as seqs */
    uint64_t taken;
    uint64_t base, top; /* given are those after base up to top */
    bool is_cut;        /* these are not all that was asked for, or nobody can tell */
};

struct room_past {
    struct past_room *rooms; /* ascending by hash, each once */
    size_t count;
    bool oldest_first;
    uint64_t through; /* nothing later than this */
    size_t total;     /* events together */
    size_t found;
    /* its own */
    uint64_t low, high; /* what is left of the log to look at, low exclusive */
};

/* Borrow the index. step: one slice; false: there is nothing left to look at. */
void room_past_begin(struct room_past *past, const struct room_index *index);
bool room_past_step(struct room_past *past, const struct room_index *index);
/* What retention took away is told. */
void room_past_end(struct room_past *past, const struct room_index *index);

#endif
