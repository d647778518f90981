/* Where the durable log lies: see the header. */
#include "bridge/log_folder.h"

#include "bridge/private_folder.h"
#include "bridge/random.h"
#include "bridge/testing/test_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const companions[] = {"", "-wal", "-shm"};

bool log_folder_path(const char *folder, const char *name, char path[LOG_PATH_BYTES])
{
    int n = snprintf(path, LOG_PATH_BYTES, "%s/%s", folder, name);
    return n > 0 && n < LOG_PATH_BYTES;
}

/* The parents as mkdir -p would; the folder itself is made by who looks at it. */
static void make_parents(const char *folder)
{
    char path[LOG_PATH_BYTES];

    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path)
        return;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0755); /* what fails here fails there */
        *slash = '/';
    }
}

static enum status judge(enum private_folder state, const char **reason)
{
    static const char *const reasons[FOLDER_STATES] = {
        [FOLDER_IS_ABSENT] = "data_dir: the folder is gone",
        [FOLDER_IS_UNSEEN] = "data_dir: cannot look at the folder",
        [FOLDER_IS_LINK] = "data_dir: is a symbolic link; name the folder itself",
        [FOLDER_IS_FOREIGN] = "data_dir: is no folder of this user",
        [FOLDER_IS_OPEN] = "data_dir: the folder is open to others; chmod it to 700",
        [FOLDER_IS_REFUSED] = "data_dir: cannot make the folder; name another one, or "
                              "keep events in memory (log.durability: memory)",
    };

    *reason = reasons[state];
    return state == FOLDER_IS_GOOD ? ST_OK : ST_LOG_DOWN;
}

enum status log_folder_claim(const char *folder, int *lock, const char **reason)
{
    char path[LOG_PATH_BYTES];

    *reason = "data_dir: the path is too long";
    if (strlen(folder) + 32 > sizeof path)
        return ST_BAD_REQUEST;
    make_parents(folder);
    enum status st = judge(private_folder_make(folder), reason);
    if (st)
        return st;
    log_folder_path(folder, "lock", path);
    *reason = "data_dir: cannot make the lock file";
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ST_LOG_DOWN;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        *reason = "another publisher already uses this data_dir";
        return ST_CONFLICT;
    }
    *lock = fd;
    return ST_OK;
}

size_t log_folder_set_aside(const char *folder)
{
    char from[LOG_PATH_BYTES], to[LOG_PATH_BYTES], name[32];
    size_t moved = 0;

    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++) {
        snprintf(name, sizeof name, "log.db%s", companions[i]);
        log_folder_path(folder, name, from);
        snprintf(name, sizeof name, "log.db.damaged%s", companions[i]);
        log_folder_path(folder, name, to);
        unlink(to);
        if (rename(from, to) == 0)
            moved++;
        else
            unlink(from);
    }
    return moved;
}

static bool sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    bool is_synced = fsync(fd) == 0;
    close(fd);
    return is_synced;
}

bool log_folder_sync(const char *folder)
{
    static const char *const names[] = {"log.db", "log.db-wal", "."};
    char path[LOG_PATH_BYTES];
    bool is_synced = true;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_synced =
            log_folder_path(folder, names[i], path) && sync_path(path) && is_synced;
    return is_synced;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool log_boot_id(unsigned char boot_id[LOG_BOOT_ID_BYTES])
{
    char text[64] = "";
    size_t digits = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    memset(boot_id, 0, LOG_BOOT_ID_BYTES);
    for (ssize_t i = 0; i < n && digits < 2 * LOG_BOOT_ID_BYTES; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            continue;
        boot_id[digits / 2] = (unsigned char)(boot_id[digits / 2] << 4 | digit);
        digits++;
    }
    boot_id[0] ^= (unsigned char)test_hook_boot();
    if (digits == 2 * LOG_BOOT_ID_BYTES)
        return true;
    random_bytes(boot_id, LOG_BOOT_ID_BYTES);
    return false;
}
