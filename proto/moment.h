/*
 * A moment as clients write it: a number of ms or seconds since 1970, or an ISO 8601
 * text. Pure.
 */
#ifndef PROTO_MOMENT_H
#define PROTO_MOMENT_H

#include "proto/slice.h"

enum moment_unit {
    MOMENT_AUTO, /* a text with a date is ISO; a number below 10^11 is seconds, else ms */
    MOMENT_MS,
    MOMENT_S,
    MOMENT_ISO
};

/*
 * Reads a raw JSON value that has passed the gate: a number, or a string. False: it is
 * neither, or no moment of the years 1 to 9999. What is finer than a millisecond is cut
 * off, so that the moment is never later than what was written; before 1970 counts as
 * 1970.
 */
bool moment_read(struct slice json, enum moment_unit unit, int64_t *ms);

/* "2026-11-21T09:30:00.5+02:00": seconds and their parts, and the zone (none: UTC) may be
 * left out, and a blank may stand for the T. */
bool moment_read_iso(struct slice text, int64_t *ms);

#endif
