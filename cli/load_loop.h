/*
 * The loop of a load: one epoll, one precise timer, one buffer to read through. One
 * thread.
 */
#ifndef CLI_LOAD_LOOP_H
#define CLI_LOAD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct load_loop {
    int epoll;
    int timer;
    int stop_fd;      /* kept; readable: the user wants an end; -1: none */
    char *scratch;    /* LOAD_SCRATCH_BYTES */
    uint64_t wake_us; /* what the timer is set to; 0: nothing */
    bool is_stopped;
};

/* False: no memory or no descriptors; load_loop_close all the same. */
bool load_loop_open(struct load_loop *loop, int stop_fd);
void load_loop_close(struct load_loop *loop);

/* Waits for links, until `wake_us` of clock_us at the latest, and runs their on_ready. */
void load_loop_step(struct load_loop *loop, uint64_t wake_us);

#endif
