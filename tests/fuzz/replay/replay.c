/*
 * Stands in for libFuzzer in the ordinary test builds: runs the target on each corpus
 * file, on each of its prefixes, and on a bounded number of seeded mutations of it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MAX_FILE = 1 << 20,
    MAX_PREFIXES = 2048,
    MUTATIONS = 2000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A copy of exactly `size` bytes, so that the address sanitizer sees one byte too far. */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void mutate(uint8_t *data, size_t size)
{
    static const uint8_t likely[] = "\"\\{}[],:0129-/\x1e\x00\xff\r\n \t";
    size_t edits = 1 + next_random() % 4;

    for (size_t i = 0; i < edits && size > 0; i++) {
        size_t at = next_random() % size;
        if (next_random() % 2)
            data[at] = likely[next_random() % (sizeof likely - 1)];
        else
            data[at] ^= (uint8_t)(1u << (next_random() % 8));
    }
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(MAX_FILE);
    uint8_t *work = malloc(MAX_FILE);

    if (!file || !data || !work) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size_t size = fread(data, 1, MAX_FILE, file);
    fclose(file);

    run_copy(data, size);
    size_t step = size / MAX_PREFIXES + 1;
    for (size_t n = 0; n < size; n += step)
        run_copy(data, n);
    size_t rounds = size > 16384 ? MUTATIONS / 50 : MUTATIONS;
    for (size_t i = 0; i < rounds; i++) {
        memcpy(work, data, size);
        mutate(work, size);
        run_copy(work, size - (size ? next_random() % 2 : 0));
    }
    free(data);
    free(work);
    return 1;
}

int main(int argc, char **argv)
{
    int files = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
        return 2;
    }
    DIR *dir = opendir(argv[1]);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
            files += run_file(path);
    }
    if (dir)
        closedir(dir);
    printf("%d corpus files\n", files);
    return files > 0 ? 0 : 1;
}
