/* Folders of this user alone: see the header. */
#include "bridge/private_folder.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum private_folder private_folder_check(const char *path)
{
    struct stat info;

    if (lstat(path, &info))
        return errno == ENOENT ? FOLDER_IS_ABSENT : FOLDER_IS_UNSEEN;
    if (S_ISLNK(info.st_mode))
        return FOLDER_IS_LINK;
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid())
        return FOLDER_IS_FOREIGN;
    return info.st_mode & 077 ? FOLDER_IS_OPEN : FOLDER_IS_GOOD;
}

enum private_folder private_folder_make(const char *path)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return FOLDER_IS_REFUSED;
    return private_folder_check(path);
}
