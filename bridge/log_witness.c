/*
 * Two heads are written in turn, each with a checksum of its own: whenever the process
 * dies, the one before it is whole. See the header.
 */
#include "bridge/log_witness.h"

#include "proto/siphash.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES = 4096,
    MAGIC = 0x31574353, /* "SCW1" */
};

struct opening {
    uint64_t magic;
    uint64_t epoch;
    uint64_t is_clean;
    unsigned char boot_id[LOG_BOOT_ID_BYTES];
};

struct page {
    struct opening opening;
    uint64_t opening_sum;
    struct {
        uint64_t head, sum;
    } heads[2];
    uint64_t are_sessions_behind;
    uint64_t denied_epoch; /* of the log that was found damaged; 0: none */
};

struct log_witness {
    volatile struct page *page;
    int fd;
    unsigned turn;
    atomic_bool is_denied; /* for the life of the process */
};

static uint64_t opening_sum(const struct opening *opening)
{
    const struct hash_key key = {MAGIC, 0};
    return siphash(&key, (struct slice){(const char *)opening, sizeof *opening});
}

static uint64_t head_sum(uint64_t epoch, uint64_t head)
{
    const struct hash_key key = {MAGIC, epoch};
    return siphash(&key, (struct slice){(const char *)&head, sizeof head});
}

static void write_opening(struct log_witness *witness, const struct opening *opening)
{
    struct page page = {.opening = *opening, .opening_sum = opening_sum(opening)};

    witness->page->opening_sum = 0;
    atomic_signal_fence(memory_order_seq_cst);
    witness->page->opening = page.opening;
    atomic_signal_fence(memory_order_seq_cst);
    witness->page->opening_sum = page.opening_sum;
    /* Whichever of the two came last, it ends with nothing. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&witness->is_denied))
        witness->page->opening_sum = 0;
}

static void read_page(const struct page *page, struct log_testimony *testimony)
{
    bool has_head = false;

    *testimony = (struct log_testimony){0};
    if (page->opening.magic != MAGIC || page->opening_sum != opening_sum(&page->opening))
        return;
    for (int i = 0; i < 2; i++) {
        if (page->heads[i].sum != head_sum(page->opening.epoch, page->heads[i].head))
            continue;
        has_head = true;
        if (page->heads[i].head > testimony->head)
            testimony->head = page->heads[i].head;
    }
    if (!has_head) {
        *testimony = (struct log_testimony){0};
        return;
    }
    testimony->epoch = page->opening.epoch;
    testimony->is_clean = page->opening.is_clean == 1;
    memcpy(testimony->boot_id, page->opening.boot_id, LOG_BOOT_ID_BYTES);
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
        read_page(&copy, testimony);
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

enum status log_witness_begin(struct log_witness *witness, uint64_t epoch, uint64_t head,
                              const unsigned char boot_id[LOG_BOOT_ID_BYTES])
{
    struct opening opening = {.magic = MAGIC, .epoch = epoch};

    memcpy(opening.boot_id, boot_id, LOG_BOOT_ID_BYTES);
    /* In between it says nothing, which costs an epoch and no truth. */
    witness->page->opening_sum = 0;
    atomic_signal_fence(memory_order_seq_cst);
    for (int i = 0; i < 2; i++) {
        witness->page->heads[i].head = head;
        witness->page->heads[i].sum = head_sum(epoch, head);
    }
    atomic_signal_fence(memory_order_seq_cst);
    write_opening(witness, &opening);
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
    page->heads[turn].sum = head_sum(page->opening.epoch, head);
}

void log_witness_doubt_sessions(struct log_witness *witness, bool are_behind)
{
    witness->page->are_sessions_behind = are_behind;
}

bool log_witness_doubts_sessions(const struct log_witness *witness)
{
    return witness->page->are_sessions_behind != 0;
}

void log_witness_deny(struct log_witness *witness)
{
    atomic_store(&witness->is_denied, true);
    atomic_thread_fence(memory_order_seq_cst);
    witness->page->denied_epoch = witness->page->opening.epoch;
    witness->page->opening_sum = 0;
}

void log_witness_end(struct log_witness *witness)
{
    struct opening opening = witness->page->opening;

    opening.is_clean = 1;
    write_opening(witness, &opening);
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
