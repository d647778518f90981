/*
 * A disk that forgets, when the power goes, what nobody synced: the model. There is left
 * what was synced, and of everything since any sectors, parts of one, truncations and
 * names, or none. Files are known by their names in one folder; what is written to them
 * is told by power_vfs.h. One thread.
 */
#ifndef TESTS_SUPPORT_POWER_DISK_H
#define TESTS_SUPPORT_POWER_DISK_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    POWER_SECTOR = 512,
    POWER_MAPPED = 3 * 4096, /* of the mapped file, that are looked at */
    POWER_FILES = 64,
    POWER_CHANGES = 4096,
    POWER_NAMES = 6,
    POWER_PATH = 256,
};

static const char *const power_names[POWER_NAMES] = {
    "log.db",  "log.db-wal", "log.db-journal", "log.db.damaged", "log.db.damaged-wal",
    "witness", /* the mapped one: its stores are told by nobody, and looked for */
};

struct power_bytes {
    unsigned char *at;
    size_t len;
};

/* To a file, since it was synced. `bytes.at` NULL: `offset` is its
 * size. */
struct power_change {
    size_t offset;
    struct power_bytes bytes;
};

struct power_file {
    uint64_t inode;
    struct power_bytes synced;
    struct power_change changes[POWER_CHANGES];
    size_t change_count;
};

/* Of the folder, since it was synced: `from` is none any more, `to` is the file. -1: no
 * name. */
struct power_move {
    int from, to;
    struct power_file *file;
};

struct power_disk {
    char folder[POWER_PATH];
    uint64_t chance;  /* of which the accidents come */
    const char *liar; /* the name of a file whose syncs do nothing; NULL: none */
    bool is_on;       /* what happens is recorded */
    uint64_t until;   /* so many things happen before the power goes */
    struct power_file *files[POWER_FILES];
    size_t file_count;
    struct power_file *names[POWER_NAMES], *synced_names[POWER_NAMES];
    struct power_move moves[POWER_CHANGES];
    size_t move_count;
    struct power_bytes left[POWER_NAMES]; /* after the cut */
    bool is_left[POWER_NAMES];
    unsigned char mapped[POWER_MAPPED]; /* as it was seen last … */
    size_t mapped_size;                 /* … and how long it was */
    size_t lost, kept;                  /* pieces that a cut took, or left */
};

static struct power_disk power;

/* Of 0 to n - 1. */
static inline size_t power_chance(size_t n)
{
    uint64_t x = power.chance += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (size_t)((x ^ x >> 31) % n);
}

static inline void *power_memory(void *memory, size_t size)
{
    memory = realloc(memory, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

static inline void power_resize(struct power_bytes *bytes, size_t len)
{
    bytes->at = power_memory(bytes->at, len);
    if (len > bytes->len)
        memset(bytes->at + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static inline void power_put(struct power_bytes *bytes, size_t offset,
                             const unsigned char *from, size_t len)
{
    if (offset + len > bytes->len)
        power_resize(bytes, offset + len);
    memcpy(bytes->at + offset, from, len);
}

static inline struct power_bytes power_copy(const void *from, size_t len)
{
    struct power_bytes bytes = {0};

    power_resize(&bytes, len);
    if (len > 0)
        memcpy(bytes.at, from, len);
    return bytes;
}

static inline const char *power_path(int name, char path[POWER_PATH])
{
    if (snprintf(path, POWER_PATH, "%s/%s", power.folder, power_names[name]) >=
        POWER_PATH)
        abort();
    return path;
}

/* -1: none of ours. */
static inline int power_name_of(const char *path)
{
    size_t len = strlen(power.folder);

    if (len == 0 || strncmp(path, power.folder, len) != 0 || path[len] != '/')
        return -1;
    for (int i = 0; i < POWER_NAMES; i++)
        if (strcmp(path + len + 1, power_names[i]) == 0)
            return i;
    return -1;
}

static inline struct power_file *power_add_file(int name)
{
    char path[POWER_PATH];
    struct stat info;

    if (power.file_count == POWER_FILES || stat(power_path(name, path), &info))
        abort();
    struct power_file *file = calloc(1, sizeof *file);
    if (!file)
        abort();
    file->inode = info.st_ino;
    return power.files[power.file_count++] = file;
}

/* --- what happens --- */

/* Takes the bytes. */
static inline void power_change(struct power_file *file, size_t offset,
                                struct power_bytes bytes)
{
    if (file->change_count == POWER_CHANGES)
        abort();
    file->changes[file->change_count++] = (struct power_change){offset, bytes};
}

static inline void power_move(int from, int to, struct power_file *file)
{
    if (power.move_count == POWER_CHANGES)
        abort();
    power.moves[power.move_count++] = (struct power_move){from, to, file};
    if (from >= 0)
        power.names[from] = NULL;
    if (to >= 0)
        power.names[to] = file;
}

/* What was done to the mapped file, which nobody tells, comes to light here. */
static inline void power_look(void)
{
    int name = POWER_NAMES - 1;
    unsigned char now[POWER_MAPPED];
    char path[POWER_PATH];
    struct stat info;

    int fd = open(power_path(name, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t len = fstat(fd, &info) ? -1 : pread(fd, now, sizeof now, 0);
    close(fd);
    if (len < 0)
        abort();
    if (!power.names[name])
        power_move(-1, name, power_add_file(name));
    if ((size_t)info.st_size != power.mapped_size)
        power_change(power.names[name], (size_t)info.st_size, (struct power_bytes){0});
    if ((size_t)info.st_size != power.mapped_size ||
        memcmp(now, power.mapped, (size_t)len) != 0)
        power_change(power.names[name], 0, power_copy(now, (size_t)len));
    power.mapped_size = (size_t)info.st_size;
    memcpy(power.mapped, now, (size_t)len);
}

static inline void power_cut(void);

/* Something is about to happen. False: nobody is there any more to see it. */
static inline bool power_tick(void)
{
    if (!power.is_on)
        return false;
    power_look();
    if (power.until-- > 0)
        return true;
    power_cut();
    return false;
}

static inline void power_apply(struct power_bytes *to, const struct power_change *change)
{
    if (change->bytes.at)
        power_put(to, change->offset, change->bytes.at, change->bytes.len);
    else
        power_resize(to, change->offset);
}

static inline void power_forget_changes(struct power_file *file)
{
    for (size_t i = 0; i < file->change_count; i++)
        free(file->changes[i].bytes.at);
    file->change_count = 0;
}

static inline void power_sync_file(struct power_file *file)
{
    for (size_t i = 0; i < file->change_count; i++)
        power_apply(&file->synced, &file->changes[i]);
    power_forget_changes(file);
}

/* What this descriptor stands for is on the disk: one of the files, or the folder. */
static inline void power_sync(int fd)
{
    struct stat info, folder;

    if (!power_tick() || fstat(fd, &info))
        return;
    for (int i = 0; i < POWER_NAMES; i++)
        if (power.names[i] && power.names[i]->inode == info.st_ino &&
            !(power.liar && strcmp(power.liar, power_names[i]) == 0))
            power_sync_file(power.names[i]);
    if (stat(power.folder, &folder) || folder.st_ino != info.st_ino)
        return;
    memcpy(power.synced_names, power.names, sizeof power.names);
    power.move_count = 0;
}

/* --- the cut --- */

/* One sector of a write, which may be torn. */
static inline void power_leave_piece(struct power_bytes *to, size_t offset,
                                     const unsigned char *from, size_t len, size_t odds)
{
    if (power_chance(100) >= odds) {
        power.lost++;
        return;
    }
    power.kept++;
    power_put(to, offset, from, power_chance(16) ? len : power_chance(len + 1));
}

static inline struct power_bytes power_leave_file(const struct power_file *file,
                                                  size_t odds)
{
    struct power_bytes left = power_copy(file->synced.at, file->synced.len);

    for (size_t i = 0; i < file->change_count; i++) {
        const struct power_change *change = &file->changes[i];
        if (!change->bytes.at && power_chance(100) < odds)
            power_apply(&left, change);
        size_t len = change->bytes.at ? change->bytes.len : 0;
        for (size_t at = 0, piece; at < len; at += piece) {
            size_t offset = change->offset + at;
            piece = POWER_SECTOR - offset % POWER_SECTOR;
            if (piece > len - at)
                piece = len - at;
            power_leave_piece(&left, offset, change->bytes.at + at, piece, odds);
        }
    }
    return left;
}

/* The folder's changes are left in their order up to one of them, as by a file system
 * with a journal, or any of them. */
static inline void power_leave_names(struct power_file *names[POWER_NAMES], size_t odds)
{
    bool has_journal = power_chance(2);
    size_t left = power_chance(power.move_count + 1);

    memcpy(names, power.synced_names, sizeof power.synced_names);
    for (size_t i = 0; i < power.move_count; i++) {
        const struct power_move *move = &power.moves[i];
        if (has_journal ? i >= left : power_chance(100) >= odds)
            continue;
        if (move->from >= 0)
            names[move->from] = NULL;
        if (move->to >= 0)
            names[move->to] = move->file;
    }
}

static inline void power_cut(void)
{
    static const size_t all_odds[] = {0, 10, 50, 90, 100};
    size_t odds = all_odds[power_chance(sizeof all_odds / sizeof *all_odds)];
    struct power_file *names[POWER_NAMES];

    power.is_on = false;
    power_leave_names(names, odds);
    for (int i = 0; i < POWER_NAMES; i++) {
        free(power.left[i].at);
        power.left[i] = (struct power_bytes){0};
        power.is_left[i] = names[i];
        if (names[i])
            power.left[i] = power_leave_file(names[i], odds);
    }
}

static inline void power_forget_files(void)
{
    for (size_t i = 0; i < power.file_count; i++) {
        power_forget_changes(power.files[i]);
        free(power.files[i]->synced.at);
        free(power.files[i]);
    }
    power.file_count = power.move_count = 0;
    memset(power.names, 0, sizeof power.names);
}

/* The folder as the cut left it; nothing is recorded. */
static inline void power_lay_out(void)
{
    char path[POWER_PATH + 8];

    power.is_on = false;
    power_forget_files();
    for (int i = 0; i < POWER_NAMES; i++) {
        unlink(power_path(i, path));
        snprintf(path + strlen(path), 8, "-shm");
        unlink(path);
        if (!power.is_left[i])
            continue;
        int fd = open(power_path(i, path), O_WRONLY | O_CREAT | O_EXCL, 0600);
        ssize_t len = (ssize_t)power.left[i].len;
        if (fd < 0 || (len > 0 && write(fd, power.left[i].at, (size_t)len) != len))
            abort();
        close(fd);
        power.names[i] = power_add_file(i);
        power.names[i]->synced = power_copy(power.left[i].at, power.left[i].len);
    }
    memcpy(power.synced_names, power.names, sizeof power.names);
    power.mapped_size = 0;
    power_look();
}

/* From now on it is recorded, and after so many things the power goes. */
static inline void power_begin(uint64_t until)
{
    power.until = until;
    power.is_on = true;
}

/* An empty folder. */
static inline void power_format(const char *folder, uint64_t seed)
{
    snprintf(power.folder, sizeof power.folder, "%s", folder);
    power.chance = seed;
    memset(power.is_left, 0, sizeof power.is_left);
    power_lay_out();
}

static inline void power_finish(void)
{
    power.is_on = false;
    power_forget_files();
    for (int i = 0; i < POWER_NAMES; i++)
        free(power.left[i].at);
    memset(power.left, 0, sizeof power.left);
    power.folder[0] = 0;
}

#endif
