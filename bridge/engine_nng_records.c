/* Records on their way to the log: see the header. */
#include "bridge/engine_nng_records.h"

#include "bridge/random.h"
#include "bridge/str_map.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_RECORDS = 100000,
    MAX_BYTES = 64 << 20, /* of them in all */
    MAX_USERS = 500000,   /* beside these */
};

static size_t size_of(const struct event_log_record *record)
{
    return sizeof *record + record->name.len + record->bytes.len;
}

static void list_clear(struct record_list *list)
{
    *list = (struct record_list){.end = &list->first};
}

/* Moves all of `from` behind `to`. */
static void list_move(struct record_list *to, struct record_list *from)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->count += from->count;
    to->bytes += from->bytes;
    list_clear(from);
}

static void list_free(struct record_list *list)
{
    struct event_log_record *record = list->first;

    while (record) {
        struct event_log_record *next = record->next;
        free(record);
        record = next;
    }
    list_clear(list);
}

static void list_push(struct record_list *list, struct event_log_record *record)
{
    record->next = list->first;
    if (!list->first)
        list->end = &record->next;
    list->first = record;
    list->count++;
    list->bytes += size_of(record);
}

/* The last of each user is left. */
static void list_keep_users(struct record_list *list)
{
    struct hash_key key = random_hash_key();
    struct str_map seen;
    struct record_list newest; /* first */
    struct event_log_record *record, *next;

    list_clear(&newest);
    for (record = list->first; record; record = next) {
        next = record->next;
        list_push(&newest, record);
    }
    list_clear(list);
    str_map_init(&seen, &key, MAX_USERS);
    for (record = newest.first; record; record = next) {
        next = record->next;
        if (record->subject == EVENT_LOG_USER && list->count < MAX_USERS &&
            !str_map_find(&seen, record->name)) {
            str_map_put(&seen, record->name, record); /* without memory an older stays */
            list_push(list, record);
        } else {
            free(record);
        }
    }
    str_map_finish(&seen);
}

enum status records_init(struct records *records)
{
    list_clear(&records->put);
    list_clear(&records->writing);
    records->awaited = NULL;
    records->kept_users = records->kept_bytes = 0;
    atomic_init(&records->are_behind, false);
    atomic_init(&records->has_lost, false);
    return uv_mutex_init(&records->lock) ? ST_NO_MEMORY : ST_OK;
}

struct event_log_record *records_copy(enum event_log_subject subject, struct slice name,
                                      struct slice bytes)
{
    struct event_log_record *record = malloc(sizeof *record + name.len + bytes.len);

    if (!record)
        return NULL;
    char *text = memcpy(record + 1, name.ptr, name.len);
    if (bytes.len > 0)
        memcpy(text + name.len, bytes.ptr, bytes.len);
    *record = (struct event_log_record){
        .subject = subject,
        .name = {text,            name.len },
        .bytes = {text + name.len, bytes.len},
    };
    return record;
}

void records_lose(struct records *records)
{
    atomic_store(&records->are_behind, true);
    atomic_store(&records->has_lost, true);
}

void records_put(struct records *records, enum event_log_subject subject,
                 struct slice name, struct slice bytes)
{
    struct event_log_record *record = records_copy(subject, name, bytes);

    if (!record) {
        records_lose(records);
        return;
    }
    uv_mutex_lock(&records->lock);
    *records->put.end = record;
    records->put.end = &record->next;
    records->put.count++;
    records->put.bytes += size_of(record);
    uv_mutex_unlock(&records->lock);
}

void records_await(struct records *records, uv_sem_t *written)
{
    uv_mutex_lock(&records->lock);
    records->awaited = written;
    uv_mutex_unlock(&records->lock);
}

static bool are_too_many(const struct records *records)
{
    return records->writing.count > records->kept_users + MAX_RECORDS ||
           records->writing.bytes > records->kept_bytes + MAX_BYTES;
}

/* Those of sessions that wait are older than what was lost, or may be. */
static void lose_sessions(struct records *records, struct event_log *log)
{
    list_keep_users(&records->writing);
    records->kept_users = records->writing.count;
    records->kept_bytes = records->writing.bytes;
    event_log_doubt_sessions(log);
    atomic_store(&records->has_lost, true);
}

void records_write(struct records *records, struct event_log *log, uint64_t now_ms)
{
    uv_mutex_lock(&records->lock);
    list_move(&records->writing, &records->put);
    uv_sem_t *awaited = records->awaited;
    records->awaited = NULL;
    uv_mutex_unlock(&records->lock);

    if (atomic_exchange(&records->are_behind, false))
        lose_sessions(records, log);
    if (records->writing.first &&
        !event_log_records(log, records->writing.first, now_ms)) {
        list_free(&records->writing);
        records->kept_users = records->kept_bytes = 0;
    } else if (are_too_many(records)) {
        lose_sessions(records, log);
    }
    if (awaited)
        uv_sem_post(awaited);
}

bool records_wait(const struct records *records)
{
    return records->writing.first != NULL;
}

bool records_take_loss(struct records *records)
{
    return atomic_exchange(&records->has_lost, false);
}
