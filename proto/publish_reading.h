/*
 * One decode of a publish body, as publish_request.c and publish_target.c pass it around.
 * Private to these two: everybody else includes proto/publish_request.h.
 */
#ifndef PROTO_PUBLISH_READING_H
#define PROTO_PUBLISH_READING_H

#include "proto/json_gate.h"
#include "proto/publish_request.h"

struct publish_reading;

/* A field of the body. `spelling` says how a target is written; others ignore it. */
struct publish_field {
    const char *name;
    /* Fills the envelope, or refuses. */
    enum status (*take)(struct publish_reading *reading, const struct json_value *value);
    enum room_kind spelling;
};

/* What is being filled, and what it has come to. */
struct publish_reading {
    struct publish_request *request;
    struct publish_fault *fault;
    const struct publish_field *field; /* that is being taken */
    const char *target_field;          /* the one that came; NULL before it */
};

/* Writes what is wrong and what was expected into the fault; gives `status` back. */
__attribute__((format(printf, 4, 5))) enum status
publish_refuse(struct publish_reading *reading, enum status status, const char *expected,
               const char *format, ...);

/* Where it is wrong. A taker that says nothing means its field. */
void publish_point_at(struct publish_reading *reading, const char *field);
void publish_point_at_item(struct publish_reading *reading, const char *field,
                           size_t item);

/* What to do about it. */
__attribute__((format(printf, 2, 3))) void publish_advise(struct publish_reading *reading,
                                                          const char *format, ...);

/* The decoded text of a string, lent by the body or, when it has escapes, by the memory.
 */
struct slice publish_string(struct publish_reading *reading, struct slice quoted);

/* The takers of the target fields. */
enum status publish_take_one(struct publish_reading *reading,
                             const struct json_value *value);
enum status publish_take_list(struct publish_reading *reading,
                              const struct json_value *value);
enum status publish_take_all(struct publish_reading *reading,
                             const struct json_value *value);
enum status publish_take_except(struct publish_reading *reading,
                                const struct json_value *value);

/* Where a value of data or args is wrong: `at` points to its beginning. */
void publish_point_into(struct publish_reading *reading, const char *at);

/* Sets the flag when data or args hold `$binary` objects; ST_BAD_PAYLOAD: too many, or
 * something beside them would be taken for one. */
enum status publish_check_binary(struct publish_reading *reading);
/* The same, and all of them must be base64. */
enum status publish_find_binary(struct publish_reading *reading);

/* Removes targets that came twice; the first of each stays where it is. */
void publish_drop_repeated(struct publish_request *request);

#endif
