/*
 * What was said of the log when it was opened, and its heads, are written in turn, each
 * with a checksum of its own: whenever the process dies or the power goes, the one before
 * it is whole. See the header.
 */
#include "bridge/log_witness.h"

#include "proto/siphash.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 4096, /* what a disk writes at once, or more */
    FILE_BYTES = 3 * BLOCK_BYTES,
    MAGIC = 0x32574353, /* "SCW2" */
};

struct opening {
    uint64_t magic, serial, epoch, is_clean, is_synced;
    unsigned char boot_id[LOG_BOOT_ID_BYTES];
    uint64_t sum; /* of what is before it */
};

struct page {
    union {
        struct opening opening;
        unsigned char block[BLOCK_BYTES];
    } openings[2]; /* by serial */
    struct {
        uint64_t head, sum;
    } heads[2];
    uint64_t are_sessions_behind;
    uint64_t denied_epoch; /* of the log that was found damaged; 0: none */
};

_Static_assert(sizeof(struct page) <= FILE_BYTES, "the page is in the file");

struct log_witness {
    volatile struct page *page;
    int fd;
    unsigned turn;
    struct opening said;    /* last */
    _Atomic uint64_t epoch; /* of it */
    atomic_bool is_denied;  /* for the life of the process */
};

static uint64_t opening_sum(const struct opening *opening)
{
    const struct hash_key key = {MAGIC, 0};
    return siphash(&key,
                   (struct slice){(const char *)opening, offsetof(struct opening, sum)});
}

static uint64_t head_sum(uint64_t epoch, uint64_t head)
{
    const struct hash_key key = {MAGIC, epoch};
    return siphash(&key, (struct slice){(const char *)&head, sizeof head});
}

static void unsay(volatile struct page *page)
{
    page->openings[0].opening.sum = page->openings[1].opening.sum = 0;
}

/* In the place of the last but one. */
static void say(struct log_witness *witness, const struct opening *opening)
{
    volatile struct opening *place;

    witness->said = *opening;
    witness->said.magic = MAGIC;
    witness->said.serial++;
    witness->said.sum = 0;
    place = &witness->page->openings[witness->said.serial % 2].opening;
    place->sum = 0;
    atomic_signal_fence(memory_order_seq_cst);
    *place = witness->said;
    atomic_signal_fence(memory_order_seq_cst);
    place->sum = witness->said.sum = opening_sum(&witness->said);
    /* Whichever of the two came last, it ends with nothing. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&witness->is_denied))
        unsay(witness->page);
}

/* The last that was said; its serial is 0 when there is none. */
static struct opening read_opening(const struct page *page)
{
    struct opening last = {0};

    for (int i = 0; i < 2; i++) {
        const struct opening *opening = &page->openings[i].opening;
        if (opening->magic == MAGIC && opening->sum == opening_sum(opening) &&
            opening->serial > last.serial)
            last = *opening;
    }
    return last;
}

static void read_page(const struct page *page, const struct opening *opening,
                      struct log_testimony *testimony)
{
    uint64_t head = 0;
    bool has_head = false;

    for (int i = 0; i < 2; i++) {
        if (page->heads[i].sum != head_sum(opening->epoch, page->heads[i].head))
            continue;
        has_head = true;
        if (page->heads[i].head > head)
            head = page->heads[i].head;
    }
    /* Heads are not synced: nothing can be told of a log that was not either. */
    if (opening->serial == 0 || (!has_head && !opening->is_synced))
        return;
    testimony->epoch = opening->epoch;
    testimony->head = head;
    testimony->is_clean = opening->is_clean == 1;
    testimony->is_synced = opening->is_synced == 1;
    memcpy(testimony->boot_id, opening->boot_id, LOG_BOOT_ID_BYTES);
}

/* The file with all its blocks, so that no store can fail on a full disk. */
static int open_file(const char *path, bool *is_whole)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -1;
    *is_whole = fstat(fd, &info) == 0 && info.st_size == FILE_BYTES;
    if (ftruncate(fd, FILE_BYTES) || posix_fallocate(fd, 0, FILE_BYTES)) {
        close(fd);
        return -1;
    }
    return fd;
}

enum status log_witness_open(const char *path, struct log_witness **witness,
                             struct log_testimony *testimony)
{
    struct log_witness *self = calloc(1, sizeof *self);
    bool is_whole = false;
    struct page copy;

    if (!self)
        return ST_NO_MEMORY;
    self->fd = open_file(path, &is_whole);
    void *map = self->fd < 0 ? MAP_FAILED
                             : mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                                    self->fd, 0);
    if (map == MAP_FAILED) {
        if (self->fd >= 0)
            close(self->fd);
        free(self);
        return ST_LOG_DOWN;
    }
    self->page = map;
    memcpy(&copy, map, sizeof copy);
    *testimony = (struct log_testimony){0};
    if (is_whole) {
        self->said = read_opening(&copy);
        atomic_store(&self->epoch, self->said.epoch);
        read_page(&copy, &self->said, testimony);
        testimony->denied_epoch = copy.denied_epoch;
    }
    *witness = self;
    return ST_OK;
}

/* Whatever the power does from here on, it finds this, or what was stored after it. */
static enum status sync_page(struct log_witness *witness)
{
    bool is_synced =
        msync((void *)witness->page, FILE_BYTES, MS_SYNC) == 0 && fsync(witness->fd) == 0;
    return is_synced ? ST_OK : ST_LOG_DOWN;
}

enum status log_witness_begin(struct log_witness *witness,
                              const struct log_testimony *opening)
{
    struct opening next = {
        .serial = witness->said.serial,
        .epoch = opening->epoch,
        .is_synced = opening->is_synced,
    };

    memcpy(next.boot_id, opening->boot_id, LOG_BOOT_ID_BYTES);
    atomic_store(&witness->epoch, opening->epoch);
    /* The heads of another epoch make what was said before say nothing, which costs an
     * epoch that is over. */
    for (int i = 0; i < 2; i++) {
        witness->page->heads[i].head = opening->head;
        witness->page->heads[i].sum = head_sum(opening->epoch, opening->head);
    }
    atomic_signal_fence(memory_order_seq_cst);
    say(witness, &next);
    return sync_page(witness);
}

void log_witness_see(struct log_witness *witness, uint64_t head)
{
    volatile struct page *page = witness->page;
    unsigned turn = witness->turn++ % 2;

    page->heads[turn].sum = 0;
    atomic_signal_fence(memory_order_seq_cst);
    page->heads[turn].head = head;
    atomic_signal_fence(memory_order_seq_cst);
    page->heads[turn].sum = head_sum(witness->said.epoch, head);
}

void log_witness_doubt_sessions(struct log_witness *witness, bool are_behind)
{
    if (log_witness_doubts_sessions(witness) == are_behind)
        return;
    witness->page->are_sessions_behind = are_behind;
    sync_page(witness);
}

bool log_witness_doubts_sessions(const struct log_witness *witness)
{
    return witness->page->are_sessions_behind != 0;
}

void log_witness_deny(struct log_witness *witness)
{
    atomic_store(&witness->is_denied, true);
    atomic_thread_fence(memory_order_seq_cst);
    witness->page->denied_epoch = atomic_load(&witness->epoch);
    unsay(witness->page);
    sync_page(witness);
}

void log_witness_end(struct log_witness *witness)
{
    struct opening last = witness->said;

    last.is_clean = 1;
    say(witness, &last);
    sync_page(witness); /* without it the next start begins a new epoch */
}

void log_witness_close(struct log_witness *witness)
{
    if (!witness)
        return;
    munmap((void *)witness->page, FILE_BYTES);
    close(witness->fd);
    free(witness);
}
