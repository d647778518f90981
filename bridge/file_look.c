/* Looks at files: see the header. */
#include "bridge/file_look.h"

#include "bridge/clock.h"
#include "bridge/secret_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    YOUNG_MS = 2000
};

static void digest_add(unsigned char digest[DIGEST_SHA256_BYTES], const void *bytes,
                       size_t len)
{
    unsigned char both[2 * DIGEST_SHA256_BYTES];

    memcpy(both, digest, DIGEST_SHA256_BYTES);
    digest_sha256((struct slice){bytes, len}, both + DIGEST_SHA256_BYTES);
    digest_sha256((struct slice){(char *)both, sizeof both}, digest);
}

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void file_look_outside(void *ctx, const char *path)
{
    struct file_look *look = ctx;
    struct stat stat_of = {0};

    look->files++;
    (void)!stat(path, &stat_of); /* a file that is not there looks like nothing */
    const int64_t seen[] = {
        (int64_t)stat_of.st_dev, (int64_t)stat_of.st_ino, (int64_t)stat_of.st_size,
        ns_of(stat_of.st_mtim),  ns_of(stat_of.st_ctim),
    };
    digest_add(look->outside, seen, sizeof seen);
    if (clock_wall_ms() - ns_of(stat_of.st_ctim) / 1000000 < YOUNG_MS)
        look->is_young = true;
}

void file_look_inside(void *ctx, const char *path)
{
    struct file_look *look = ctx;
    enum status st = ST_NOT_FOUND;
    const char *reason;
    char *text = NULL;

    if (secret_file_is_regular(path)) /* a pipe would make the loop wait */
        st = secret_file_read(path, &text, &reason);
    if (text)
        digest_add(look->inside, text, strlen(text));
    else /* or it is longer than a secret: then a change is known by its times */
        digest_add(look->inside, look->outside, sizeof look->outside);
    free(text);
    /* It may be readable again without having changed: perhaps no descriptor was free. */
    if (st == ST_NOT_FOUND || st == ST_NO_MEMORY)
        look->is_young = true;
}

static bool is_same(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, DIGEST_SHA256_BYTES) == 0;
}

bool file_look_is_same_outside(const struct file_look *before,
                               const struct file_look *now)
{
    return !before->is_young && is_same(before->outside, now->outside);
}

bool file_look_is_same_inside(const struct file_look *before, const struct file_look *now)
{
    return is_same(before->inside, now->inside);
}
