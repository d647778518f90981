/* A folder for sockets that are handed on, and a count of what this process has open. */
#ifndef TESTS_SUPPORT_PASS_FOLDER_H
#define TESTS_SUPPORT_PASS_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pass_folder {
    char path[64];
};

static inline void pass_folder_make(struct pass_folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/sidecast-pass-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

/* How many entries are in it; removes them if told to. */
static inline unsigned pass_folder_entries(const struct pass_folder *folder, bool removes)
{
    DIR *dir = opendir(folder->path);
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.') {
            count++;
            if (removes)
                unlinkat(dirfd(dir), entry->d_name, 0);
        }
    closedir(dir);
    return count;
}

static inline void pass_folder_remove(const struct pass_folder *folder)
{
    pass_folder_entries(folder, true);
    assert_int_equal(rmdir(folder->path), 0);
}

static inline unsigned open_descriptors(void)
{
    const struct pass_folder self = {"/proc/self/fd"};

    return pass_folder_entries(&self, false) - 1; /* the one that reads the folder */
}

#endif
