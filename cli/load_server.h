/*
 * A server of its own for a load: `sidecast serve` as a child, with keys made up for the
 * occasion, free ports of the loopback, and a log that goes with it. One thread.
 */
#ifndef CLI_LOAD_SERVER_H
#define CLI_LOAD_SERVER_H

#include "cli/bus_folder.h"
#include "cli/dial.h"
#include "cli/flags.h"

enum {
    LOAD_SERVER_PIDS = 70,
    LOAD_SERVER_URL_BYTES = 80,
    LOAD_SERVER_SECRET_BYTES = 64
};

struct load_server {
    int pid;                               /* 0: none */
    int out;                               /* what it says on stdout */
    char key[LOAD_SERVER_SECRET_BYTES];    /* of the publisher */
    char secret[LOAD_SERVER_SECRET_BYTES]; /* tokens are signed with it */
    char gateway[LOAD_SERVER_URL_BYTES];
    char publisher[LOAD_SERVER_URL_BYTES];
    char ops[LOAD_SERVER_URL_BYTES];
    char folder[BUS_FOLDER_BYTES]; /* its log lies there; removed with it; empty: none */
    int pids[LOAD_SERVER_PIDS];    /* of the roles, the publisher's first */
    size_t pid_count;
};

/*
 * Starts it and waits until it is ready. `sets` and `hooks` are passed on. False: `error`
 * is a sentence. Either way load_server_stop.
 */
bool load_server_start(struct load_server *server, const struct flag_list *sets,
                       const struct flag_list *hooks, char error[DIAL_ERROR_BYTES]);
/* The longest that a loop of its processes was late in the last 10 to 20 s, in us. False:
 * it does not say. */
bool load_server_lag(const struct load_server *server, uint64_t *lag_us);
/* Idempotent: asks it to end, waits, and kills it when it takes too long. */
void load_server_stop(struct load_server *server);

#endif
