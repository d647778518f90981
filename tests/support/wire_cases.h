/*
 * Wire samples: one file each under tests/cases/<codec>/{valid,invalid}/. One newline at
 * the end of a file is the editor's and does not belong to the sample.
 */
#ifndef TESTS_SUPPORT_WIRE_CASES_H
#define TESTS_SUPPORT_WIRE_CASES_H

#include "proto/slice.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `sample` is a heap copy of exactly its length, so that a sanitizer sees a read past it.
 */
typedef void wire_case_fn(const char *name, struct slice sample);

static struct slice wire_case_read(const char *path)
{
    enum {
        MAX_SAMPLE = 1 << 20
    };
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(MAX_SAMPLE);

    if (!file || !bytes) {
        fprintf(stderr, "cannot read %s\n", path);
        abort();
    }
    size_t len = fread(bytes, 1, MAX_SAMPLE, file);
    fclose(file);
    if (len > 0 && bytes[len - 1] == '\n')
        len--;
    char *exact = malloc(len ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, len);
    free(bytes);
    return (struct slice){exact, len};
}

/* Runs `visit` on each sample of TEST_CASES/<folder>; gives their number. */
static size_t wire_cases_each(const char *folder, wire_case_fn *visit)
{
    char path[4096];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/%s", TEST_CASES, folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", TEST_CASES, folder, entry->d_name);
        struct slice sample = wire_case_read(path);
        visit(entry->d_name, sample);
        free((void *)sample.ptr);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

#endif
