/* How many descriptors the process may have. Any thread. */
#ifndef BRIDGE_DESCRIPTORS_H
#define BRIDGE_DESCRIPTORS_H

enum {
    /* For the bus, the log and other listeners: no client gets the last ones. */
    DESCRIPTORS_RESERVED = 64,
};

/* Raises the soft limit to `wanted` as far as the hard one allows; never lowers it. Gives
 * what the process may have now. */
unsigned descriptors_raise(unsigned wanted);

/* The same, and lowers it: for a process with a library whose tables are as long as the
 * limit, and walked. */
unsigned descriptors_set(unsigned wanted);

/* What is left for clients of a limit: without the reserve, or three quarters of a small
 * one. */
unsigned descriptors_for_clients(unsigned limit);

#endif
