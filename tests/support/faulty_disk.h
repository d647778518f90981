/*
 * A disk with places that cannot be read, or that fails to sync, under SQLite as it is:
 * its own VFS makes of an errno what it always does. Reads come by way of the system call
 * that it lets others replace, syncs by way of the C library's functions, which are
 * defined here: one program includes this once.
 */
#ifndef TESTS_SUPPORT_FAULTY_DISK_H
#define TESTS_SUPPORT_FAULTY_DISK_H

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct faulty_disk {
    dev_t device;
    ino_t inode;    /* of the file whose bytes cannot be read, under whatever name */
    off_t from, to; /* those; `to` 0: all can */
    int error;      /* is told for them */
    atomic_uint until_sync_fails; /* so many syncs are still done; 0: all are */
};

static struct faulty_disk faulty_disk;

static inline bool faulty_disk_keeps(int fd, size_t len, off_t at)
{
    struct stat info;

    if (at >= faulty_disk.to || at + (off_t)len <= faulty_disk.from)
        return true;
    return fstat(fd, &info) || info.st_ino != faulty_disk.inode ||
           info.st_dev != faulty_disk.device;
}

static inline ssize_t faulty_disk_read(int fd, void *to, size_t len, off_t at)
{
    if (faulty_disk_keeps(fd, len, at))
        return pread(fd, to, len, at);
    errno = faulty_disk.error;
    return -1;
}

static inline int faulty_disk_sync(long call, int fd)
{
    unsigned left = atomic_load(&faulty_disk.until_sync_fails);

    if (left == 1) {
        errno = EIO;
        return -1;
    }
    if (left > 1)
        atomic_compare_exchange_strong(&faulty_disk.until_sync_fails, &left, left - 1);
    return (int)syscall(call, fd);
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs have odd ones.
 */

int fsync(int fd)
{
    return faulty_disk_sync(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return faulty_disk_sync(SYS_fdatasync, fd);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* Once, before the first log is opened. */
static inline void faulty_disk_install(void)
{
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    static const char *const calls[] = {"pread", "pread64"}; /* it was built with one */

    for (size_t i = 0; usual && i < sizeof calls / sizeof *calls; i++)
        usual->xSetSystemCall(usual, calls[i], (sqlite3_syscall_ptr)faulty_disk_read);
}

/* Whoever reads one of these bytes of the file gets the error, from now on. */
static inline void faulty_disk_spoil(const char *path, off_t from, off_t to, int error)
{
    struct stat info;

    if (stat(path, &info))
        abort();
    faulty_disk.device = info.st_dev;
    faulty_disk.inode = info.st_ino;
    faulty_disk.from = from;
    faulty_disk.to = to;
    faulty_disk.error = error;
}

/* The n-th sync from now on fails, and all that follow. */
static inline void faulty_disk_fail_sync(unsigned n)
{
    atomic_store(&faulty_disk.until_sync_fails, n);
}

static inline void faulty_disk_heal(void)
{
    faulty_disk.to = 0;
    atomic_store(&faulty_disk.until_sync_fails, 0);
}

#endif
