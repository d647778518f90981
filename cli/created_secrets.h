/*
 * create_secrets: secret files that the configuration names, and that are not there, are
 * made at the start. What is there is never touched. Before the loop.
 */
#ifndef CLI_CREATED_SECRETS_H
#define CLI_CREATED_SECRETS_H

#include "bridge/logger.h"
#include "cli/invocation.h"

enum {
    CREATED_SECRET_CHARS = 86, /* 516 random bits: enough for HS512 */
    CREATED_KEY_CHARS = 43     /* what an API key has after sk_ */
};

/*
 * Makes them, readable for this user alone, each whole or not at all: of several
 * processes that start at once, all read the one that was first. The folder of a file is
 * made, too, but not the one above it. Each is logged by its path. Does nothing unless
 * create_secrets is on. False: something cannot be made, and a sentence says what.
 */
bool created_secrets_make(const struct invocation *call, const struct logger *log);

/* Texts that stand for files to come. */
struct created_secrets {
    char secret[CREATED_SECRET_CHARS + 1];
    char key[3 + CREATED_KEY_CHARS + 1];
};

/*
 * Makes `config` what it will be after a start, for checks that make nothing: texts of
 * the same kind stand for the files that are missing. `config` keeps `texts`.
 */
void created_secrets_foresee(struct config *config, struct created_secrets *texts);

#endif
