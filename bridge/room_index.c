/*
 * Entries stand in a ring in the order of the log, marks in an open table of hashes: see
 * the header.
 */
#include "bridge/room_index.h"

#include "bridge/clock.h"
#include "bridge/room_chains.h"
#include "proto/bus_wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ENTRIES = 1024,
    FIRST_MARKS = 1024,
    WORTH_MARKS = ROOM_INDEX_MARKS / 8, /* fewer that go are not worth a rehash */
    TRAIL = 512, /* entries that chains may lead to: beyond it a walk is as good */
};

struct entry {
    uint64_t seq : 63;
    uint64_t is_past : 1; /* it has a history */
    uint64_t hash;        /* 0: for every room */
};

struct mark {
    uint64_t hash; /* 0: free */
    uint64_t seq;
};

struct room_index {
    struct hash_key key;
    struct entry *ring;
    struct room_chains chains;
    size_t capacity; /* a power of two */
    uint64_t first;  /* entries have numbers; this is the oldest one's */
    size_t count;
    uint64_t from;    /* entries are complete after it … */
    uint64_t last;    /* … up to here */
    uint64_t removed; /* by retention, up to here */
    struct mark *marks;
    size_t mark_capacity, mark_count;
    uint64_t folded; /* a mark for every room */
    struct time_marks times;
    struct envelope_room room;
};

struct room_index *room_index_create(const struct hash_key *key)
{
    struct room_index *index = calloc(1, sizeof *index);

    if (!index)
        return NULL;
    index->key = *key;
    index->first = 1;
    time_marks_clear(&index->times, clock_wall_ms());
    return index;
}

void room_index_destroy(struct room_index *index)
{
    if (!index)
        return;
    time_marks_finish(&index->times);
    room_chains_finish(&index->chains);
    free(index->ring);
    free(index->marks);
    free(index);
}

void room_index_clear(struct room_index *index, uint64_t floor)
{
    index->first += index->count;
    index->count = 0;
    index->from = index->last = index->removed = index->folded = floor;
    index->mark_count = 0;
    time_marks_clear(&index->times, clock_wall_ms());
    if (index->marks)
        memset(index->marks, 0, index->mark_capacity * sizeof *index->marks);
}

struct hash_key room_index_key(const struct room_index *index)
{
    return index->key;
}

uint64_t room_index_hash(const struct room_index *index, const struct room_key *room)
{
    char bytes[16 + LIMIT_NAMESPACE_BYTES + LIMIT_ROOM_BYTES];
    struct buf encoded = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    replay_room_add(&encoded, room);
    uint64_t hash = buf_status(&encoded) ? 0 : siphash(&index->key, buf_slice(&encoded));
    return hash ? hash : 1;
}

static struct entry *entry_at(const struct room_index *index, size_t i)
{
    return &index->ring[(index->first + i) & (index->capacity - 1)];
}

static bool grow_ring(struct room_index *index)
{
    size_t capacity = index->capacity ? index->capacity * 2 : FIRST_ENTRIES;
    struct entry *ring = malloc(capacity * sizeof *ring);

    if (!ring ||
        !room_chains_grow(&index->chains, capacity, index->first, index->count)) {
        free(ring);
        return false;
    }
    for (size_t i = 0; i < index->count; i++)
        ring[(index->first + i) & (capacity - 1)] = *entry_at(index, i);
    free(index->ring);
    index->ring = ring;
    index->capacity = capacity;
    return true;
}

/* The oldest event is not covered any more: all of its entries go. */
static void uncover_oldest(struct room_index *index)
{
    index->from = entry_at(index, 0)->seq;
    while (index->count > 0 && entry_at(index, 0)->seq == index->from) {
        index->first++;
        index->count--;
    }
}

static void add_entry(struct room_index *index, uint64_t seq, uint64_t hash, bool is_past)
{
    if (index->count == index->capacity &&
        (index->capacity == ROOM_INDEX_ENTRIES || !grow_ring(index))) {
        if (index->count == 0)
            return; /* room_index_add says that it is not covered */
        uncover_oldest(index);
        if (index->from == seq)
            return;
    }
    room_chains_add(&index->chains, index->first + index->count, hash);
    *entry_at(index, index->count++) = (struct entry){seq, is_past, hash};
}

static bool has_history(const struct envelope *envelope)
{
    return envelope->kind == ENVELOPE_EVENT && envelope->flags & ENVELOPE_HISTORY;
}

void room_index_add(struct room_index *index, uint64_t seq, struct slice bytes)
{
    struct envelope envelope;
    size_t before = index->count;

    index->last = seq;
    if (bytes.len == 0)
        return;
    if (envelope_decode(bytes, &index->room, &envelope)) {
        add_entry(index, seq, 0, false);
    } else {
        time_marks_add(&index->times, seq, envelope.at_ms);
        for (size_t i = 0; i < envelope.target_count; i++) {
            struct room_key room = {envelope.nsp, envelope.targets[i].kind,
                                    envelope.targets[i].name};
            add_entry(index, seq, room_index_hash(index, &room), has_history(&envelope));
        }
    }
    if (index->count == 0 && before == 0)
        index->from = seq; /* out of memory */
}

/* --- marks --- */

static struct mark *mark_of(const struct room_index *index, uint64_t hash)
{
    size_t at = (size_t)hash & (index->mark_capacity - 1);

    while (index->marks[at].hash != 0 && index->marks[at].hash != hash)
        at = (at + 1) & (index->mark_capacity - 1);
    return &index->marks[at];
}

/* Into a table of `capacity`, without those up to `folded`. False: out of memory. */
static bool rehash(struct room_index *index, size_t capacity)
{
    struct mark *old = index->marks;
    size_t old_capacity = index->mark_capacity;
    struct mark *fresh = calloc(capacity, sizeof *fresh);

    if (!fresh)
        return false;
    index->marks = fresh;
    index->mark_capacity = capacity;
    index->mark_count = 0;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].hash == 0 || old[i].seq <= index->folded)
            continue;
        *mark_of(index, old[i].hash) = old[i];
        index->mark_count++;
    }
    free(old);
    return true;
}

static void forget_marks(struct room_index *index, uint64_t through)
{
    index->folded = through;
    index->mark_count = 0;
    if (index->marks)
        memset(index->marks, 0, index->mark_capacity * sizeof *index->marks);
}

static bool is_lasting(const struct room_index *index, const struct mark *mark)
{
    return mark->hash != 0 && mark->seq > index->folded;
}

/* Marks are given in the order of the log: the older half goes, unless enough of them
 * are folded already. */
static void fold_older(struct room_index *index, uint64_t newest)
{
    uint64_t oldest = newest;
    size_t lasting = 0;

    for (size_t i = 0; i < index->mark_capacity; i++) {
        const struct mark *mark = &index->marks[i];
        if (!is_lasting(index, mark))
            continue;
        lasting++;
        oldest = mark->seq < oldest ? mark->seq : oldest;
    }
    if (lasting + WORTH_MARKS > index->mark_count)
        index->folded = oldest + (newest - oldest) / 2;
}

/* For one more. */
static bool make_room(struct room_index *index, uint64_t newest)
{
    if (index->mark_count >= ROOM_INDEX_MARKS)
        fold_older(index, newest);
    else if (index->mark_count * 2 < index->mark_capacity)
        return true;
    size_t capacity = FIRST_MARKS;
    while (capacity < 2 * (index->mark_count + 1) && capacity < 2 * ROOM_INDEX_MARKS)
        capacity *= 2;
    return rehash(index, capacity);
}

static void set_mark(struct room_index *index, const struct entry *entry)
{
    bool has_mark = index->mark_capacity > 0 && mark_of(index, entry->hash)->hash != 0;

    if (entry->hash == 0 || (!has_mark && !make_room(index, entry->seq))) {
        forget_marks(index, entry->seq); /* a mark for all is never too low */
        return;
    }
    struct mark *mark = mark_of(index, entry->hash);
    index->mark_count += mark->hash == 0;
    *mark = (struct mark){entry->hash, entry->seq};
}

void room_index_fold(struct room_index *index, uint64_t seq)
{
    if (seq > index->folded)
        index->folded = seq; /* marks up to it go when room is made, or are not saved */
}

void room_index_remove(struct room_index *index, uint64_t through)
{
    /* What was not covered had rooms that nobody knows. */
    if (index->from > index->removed)
        room_index_fold(index, index->from < through ? index->from : through);
    index->removed = through;
    while (index->count > 0 && entry_at(index, 0)->seq <= through) {
        struct entry entry = *entry_at(index, 0);
        index->first++;
        index->count--;
        set_mark(index, &entry);
    }
}

/* --- marks that outlive the process --- */

void room_index_save(const struct room_index *index, const struct log_marks *about,
                     struct buf *out)
{
    struct log_marks marks = *about;

    marks.key = index->key;
    marks.folded = index->folded;
    marks.count = 0;
    for (size_t i = 0; i < index->mark_capacity; i++)
        marks.count += is_lasting(index, &index->marks[i]);
    log_marks_encode(&marks, out);
    for (size_t i = 0; i < index->mark_capacity; i++)
        if (is_lasting(index, &index->marks[i]))
            log_mark_add(out, index->marks[i].hash, index->marks[i].seq);
}

bool room_index_load(struct room_index *index, struct log_marks *marks)
{
    size_t capacity = FIRST_MARKS;
    uint64_t hash, seq;

    room_index_clear(index, marks->through);
    index->key = marks->key;
    index->folded = marks->folded;
    while (capacity < 2 * ((size_t)marks->count + 1) && capacity < 2 * ROOM_INDEX_MARKS)
        capacity *= 2;
    if (!rehash(index, capacity))
        return false;
    while (log_marks_next(marks, &hash, &seq)) {
        struct entry entry = {.seq = seq, .hash = hash};
        if (hash != 0)
            set_mark(index, &entry);
    }
    return true;
}

uint64_t room_index_mark(const struct room_index *index, uint64_t hash)
{
    uint64_t seq = index->mark_capacity ? mark_of(index, hash)->seq : 0;
    return seq > index->folded ? seq : index->folded;
}

/* --- search --- */

uint64_t room_index_from(const struct room_index *index)
{
    return index->from;
}

uint64_t room_index_last(const struct room_index *index)
{
    return index->last;
}

/* Index of the first entry with a seq above `seq`. */
static size_t entry_after(const struct room_index *index, uint64_t seq)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(index, middle)->seq > seq)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool is_wished(const struct room_wishes *wishes, uint64_t hash)
{
    size_t low = 0, high = wishes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wishes->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return hash == 0 || (low < wishes->count && wishes->hashes[low] == hash);
}

/* Most entries are for rooms that nobody asks for: a bit tells, before a search does. */
static uint64_t bit_of(uint64_t hash)
{
    return UINT64_C(1) << hash % 64;
}

static uint64_t bits_of(const struct room_wishes *wishes)
{
    uint64_t bits = bit_of(0); /* entries that are for whatever room */

    for (size_t i = 0; i < wishes->count; i++)
        bits |= bit_of(wishes->hashes[i]);
    return bits;
}

/* Where a search from `start` on ends: between two events, all entries of one are looked
 * at. */
static size_t search_end(const struct room_index *index, size_t start)
{
    size_t end = index->count;

    if (end - start <= ROOM_INDEX_STEPS)
        return end;
    end = start + ROOM_INDEX_STEPS;
    while (entry_at(index, end - 1)->seq == entry_at(index, end)->seq)
        end--;
    return end;
}

/* Where a search puts what it finds. */
struct findings {
    uint64_t *seqs;
    size_t max, count;
    uint64_t through;
};

/* In the order of the log, each event once. False: there is no room for it. */
static bool add_finding(struct findings *findings, uint64_t seq)
{
    if (findings->count > 0 && findings->seqs[findings->count - 1] == seq)
        return true;
    if (findings->count == findings->max) {
        findings->through = seq - 1;
        return false;
    }
    findings->seqs[findings->count++] = seq;
    return true;
}

/* Entry after entry. */
static void walk(const struct room_index *index, const struct room_wishes *wishes,
                 size_t start, size_t end, struct findings *findings)
{
    const struct entry *ring = index->ring;
    const size_t mask = index->capacity - 1;
    const uint64_t bits = bits_of(wishes);

    if (end < index->count)
        findings->through = entry_at(index, end)->seq - 1;
    for (uint64_t i = index->first + start; i != index->first + end; i++) {
        const struct entry *entry = &ring[i & mask];
        bool may_be = bits >> entry->hash % 64 & 1;
        if (may_be && is_wished(wishes, entry->hash) &&
            !add_finding(findings, entry->seq))
            return;
    }
}

/* What chains lead to. */
struct trail {
    uint64_t numbers[TRAIL];
    size_t count, chains; /* chains: that led to any */
    size_t steps;         /* that may still be taken */
};

/* Back to entry number `low`. False: it is too far. */
static bool follow(const struct room_index *index, uint64_t hash, uint64_t low,
                   struct trail *trail)
{
    size_t before = trail->count;

    for (uint64_t number = room_chains_last(&index->chains, hash); number >= low;
         number = room_chains_before(&index->chains, number)) {
        if (trail->steps == 0 || trail->count == TRAIL)
            return false;
        trail->steps--;
        if (index->ring[number & (index->capacity - 1)].hash == hash)
            trail->numbers[trail->count++] = number;
    }
    trail->chains += trail->count > before;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Each chain came youngest first. */
static void sort_trail(struct trail *trail)
{
    uint64_t *numbers = trail->numbers;

    if (trail->chains > 1) {
        qsort(numbers, trail->count, sizeof *numbers, compare);
        return;
    }
    for (size_t i = 0; i < trail->count / 2; i++) {
        uint64_t number = numbers[i];
        numbers[i] = numbers[trail->count - 1 - i];
        numbers[trail->count - 1 - i] = number;
    }
}

/* Gives whether that was less than a walk would be: rooms that little is said in. */
static bool find_trail(const struct room_index *index, const struct room_wishes *wishes,
                       size_t start, struct trail *trail)
{
    uint64_t low = index->first + start;
    bool is_near = follow(index, 0, low, trail);

    for (size_t i = 0; is_near && i < wishes->count; i++)
        is_near = follow(index, wishes->hashes[i], low, trail);
    if (is_near)
        sort_trail(trail);
    return is_near;
}

static void take_trail(const struct room_index *index, const struct trail *trail,
                       struct findings *findings)
{
    for (size_t i = 0; i < trail->count; i++) {
        size_t slot = trail->numbers[i] & (index->capacity - 1);
        if (!add_finding(findings, index->ring[slot].seq))
            return;
    }
}

size_t room_index_find(const struct room_index *index, const struct room_wishes *wishes,
                       uint64_t after, uint64_t *seqs, size_t max, uint64_t *through)
{
    struct findings findings = {.max = max,
                                .through = index->last > after ? index->last : after};
    struct trail trail;

    findings.seqs = seqs;
    *through = after;
    if (after < index->from)
        return 0;
    size_t start = entry_after(index, after);
    size_t end = search_end(index, start);
    trail.count = trail.chains = 0;
    trail.steps = (end - start) / 4;
    if (find_trail(index, wishes, start, &trail))
        take_trail(index, &trail, &findings);
    else
        walk(index, wishes, start, end, &findings);
    *through = findings.through;
    return findings.count;
}

/* --- the past --- */

const struct time_marks *room_index_times(const struct room_index *index)
{
    return &index->times;
}

/* All entries of one event. */
static bool visit_event(const struct room_index *index, size_t first, size_t end,
                        room_index_visit_fn *visit, void *ctx)
{
    uint64_t hashes[LIMIT_TARGETS];
    size_t count = 0;

    for (size_t i = first; i < end && count < LIMIT_TARGETS; i++)
        hashes[count++] = entry_at(index, i)->hash;
    return visit(ctx, entry_at(index, first)->seq, hashes, count,
                 entry_at(index, first)->is_past);
}

uint64_t room_index_back(const struct room_index *index, uint64_t through, uint64_t after,
                         room_index_visit_fn *visit, void *ctx)
{
    size_t end = entry_after(index, through);
    size_t lowest = entry_after(index, after);
    size_t steps = end - lowest > ROOM_INDEX_SLICE ? ROOM_INDEX_SLICE : end - lowest;

    while (end > lowest && steps > 0) {
        size_t first = end - 1;
        uint64_t seq = entry_at(index, first)->seq;
        while (first > lowest && entry_at(index, first - 1)->seq == seq)
            first--;
        if (!visit_event(index, first, end, visit, ctx))
            return after;
        steps -= end - first < steps ? end - first : steps;
        end = first;
        through = seq - 1;
    }
    return end > lowest ? through : after;
}

uint64_t room_index_forth(const struct room_index *index, uint64_t after,
                          uint64_t through, room_index_visit_fn *visit, void *ctx)
{
    size_t first = entry_after(index, after);
    size_t highest = entry_after(index, through);
    size_t steps = ROOM_INDEX_SLICE;

    while (first < highest && steps > 0) {
        size_t end = first + 1;
        uint64_t seq = entry_at(index, first)->seq;
        while (end < highest && entry_at(index, end)->seq == seq)
            end++;
        if (!visit_event(index, first, end, visit, ctx))
            return through;
        steps -= end - first < steps ? end - first : steps;
        first = end;
        after = seq;
    }
    return first < highest ? after : through;
}
