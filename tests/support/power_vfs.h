/*
 * What SQLite does to its files, told to power_disk.h: a VFS that stands over the usual
 * one, as the default of the process. Syncs and names come by way of the C library's
 * functions, which a test defines for itself.
 */
#ifndef TESTS_SUPPORT_POWER_VFS_H
#define TESTS_SUPPORT_POWER_VFS_H

#include "support/power_disk.h"

#include <sqlite3.h>

struct power_handle {
    sqlite3_file base;
    struct power_file *file; /* NULL: none of ours */
    /* The usual one's comes next. */
};

static inline sqlite3_file *power_usual(sqlite3_file *handle)
{
    return (sqlite3_file *)((struct power_handle *)(void *)handle + 1);
}

#define POWER_PASS(handle, call, ...)                                                    \
    power_usual(handle)->pMethods->call(power_usual(handle), __VA_ARGS__)

static int power_close(sqlite3_file *handle)
{
    sqlite3_file *usual = power_usual(handle);
    return usual->pMethods ? usual->pMethods->xClose(usual) : SQLITE_OK;
}

static int power_read(sqlite3_file *handle, void *to, int len, sqlite3_int64 at)
{
    return POWER_PASS(handle, xRead, to, len, at);
}

static int power_write(sqlite3_file *handle, const void *from, int len, sqlite3_int64 at)
{
    struct power_file *file = ((struct power_handle *)(void *)handle)->file;

    if (power_tick() && file)
        power_change(file, (size_t)at, power_copy(from, (size_t)len));
    return POWER_PASS(handle, xWrite, from, len, at);
}

static int power_truncate(sqlite3_file *handle, sqlite3_int64 size)
{
    struct power_file *file = ((struct power_handle *)(void *)handle)->file;

    if (power_tick() && file)
        power_change(file, (size_t)size, (struct power_bytes){0});
    return POWER_PASS(handle, xTruncate, size);
}

static int power_sync_handle(sqlite3_file *handle, int flags)
{
    return POWER_PASS(handle, xSync, flags);
}

static int power_size(sqlite3_file *handle, sqlite3_int64 *size)
{
    return POWER_PASS(handle, xFileSize, size);
}

static int power_lock(sqlite3_file *handle, int level)
{
    return POWER_PASS(handle, xLock, level);
}

static int power_unlock(sqlite3_file *handle, int level)
{
    return POWER_PASS(handle, xUnlock, level);
}

static int power_check_lock(sqlite3_file *handle, int *is_reserved)
{
    return POWER_PASS(handle, xCheckReservedLock, is_reserved);
}

static int power_control(sqlite3_file *handle, int what, void *with)
{
    return POWER_PASS(handle, xFileControl, what, with);
}

static int power_sector(sqlite3_file *handle)
{
    return power_usual(handle)->pMethods->xSectorSize(power_usual(handle));
}

static int power_traits(sqlite3_file *handle)
{
    return power_usual(handle)->pMethods->xDeviceCharacteristics(power_usual(handle));
}

static int power_shm_map(sqlite3_file *handle, int at, int size, int is_made,
                         void volatile **memory)
{
    return POWER_PASS(handle, xShmMap, at, size, is_made, memory);
}

static int power_shm_lock(sqlite3_file *handle, int at, int count, int flags)
{
    return POWER_PASS(handle, xShmLock, at, count, flags);
}

static void power_shm_barrier(sqlite3_file *handle)
{
    power_usual(handle)->pMethods->xShmBarrier(power_usual(handle));
}

static int power_shm_unmap(sqlite3_file *handle, int is_deleted)
{
    return POWER_PASS(handle, xShmUnmap, is_deleted);
}

static const sqlite3_io_methods power_methods = {
    .iVersion = 2,
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync_handle,
    .xFileSize = power_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_check_lock,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_traits,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

static sqlite3_vfs *power_usual_vfs;

static int power_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *handle, int flags,
                      int *got)
{
    struct power_handle *self = (struct power_handle *)(void *)handle;
    int name = path ? power_name_of(path) : -1;

    (void)vfs;
    bool is_new = name >= 0 && access(path, F_OK) != 0;
    bool is_seen = power_tick();
    int code =
        power_usual_vfs->xOpen(power_usual_vfs, path, power_usual(handle), flags, got);
    handle->pMethods = code == SQLITE_OK ? &power_methods : NULL;
    self->file = NULL;
    if (code != SQLITE_OK || name < 0 || !is_seen)
        return code;
    if (is_new)
        power_move(-1, name, power_add_file(name));
    self->file = power.names[name];
    return code;
}

/* Before SQLite is used. */
static inline void power_install(void)
{
    static sqlite3_vfs vfs;

    power_usual_vfs = sqlite3_vfs_find(NULL);
    if (!power_usual_vfs)
        abort();
    vfs = *power_usual_vfs;
    vfs.zName = "power";
    vfs.pNext = NULL;
    vfs.szOsFile += (int)sizeof(struct power_handle);
    vfs.xOpen = power_open;
    if (sqlite3_vfs_register(&vfs, 1))
        abort();
}

#endif
