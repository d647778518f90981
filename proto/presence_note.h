/*
 * What is remembered of users across a start: a note for each, kept with the log. Pure.
 *
 * The name is the namespace, a zero (no namespace has one) and the user; without a user
 * it says when the notes were last known to be true.
 */
#ifndef PROTO_PRESENCE_NOTE_H
#define PROTO_PRESENCE_NOTE_H

#include "proto/buf.h"
#include "proto/limits.h"

enum {
    PRESENCE_NOTE_NAME_BYTES = LIMIT_NAMESPACE_BYTES + 1 + LIMIT_USER_BYTES,
    PRESENCE_NOTE_BYTES = 10,
};

struct presence_note {
    bool is_online;  /* that was told last */
    int64_t seen_ms; /* wall clock: when the user was last connected; 0: never */
};

/* Writes the name; empty when a part is too long to be anybody's. */
struct slice presence_note_name(char out[PRESENCE_NOTE_NAME_BYTES], struct slice nsp,
                                struct slice user);
/* Lends its two parts. False: it is no name. */
bool presence_note_parts(struct slice name, struct slice *nsp, struct slice *user);

void presence_note_encode(const struct presence_note *note, struct buf *out);
enum status presence_note_decode(struct slice bytes, struct presence_note *note);

#endif
