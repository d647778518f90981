/*
 * A blocking TCP connection to a server of ours, for the tools: publish and sub. Plain
 * http:// only; TLS is a proxy's work. Any thread.
 */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include "proto/slice.h"
#include "proto/status.h"

enum {
    DIAL_HOST_BYTES = 256,
    DIAL_PORT_BYTES = 6,
    DIAL_ERROR_BYTES = 320,
    DIAL_TIMEOUT_MS = 10000 /* of connecting, and of a request as a whole */
};

/* "http://127.0.0.1:7411" in parts. */
struct dial_address {
    char host[DIAL_HOST_BYTES]; /* without the brackets of an IPv6 address */
    char port[DIAL_PORT_BYTES];
    char authority[DIAL_HOST_BYTES + DIAL_PORT_BYTES + 3]; /* what Host: says */
};

/*
 * Borrows `url`: a path is allowed only when it is "/"; the port is 80 when absent.
 * False: `error` is a sentence.
 */
bool dial_parse(const char *url, struct dial_address *address,
                char error[DIAL_ERROR_BYTES]);

/* Gives a connected socket (close), or -1 and a sentence. */
int dial_open(const struct dial_address *address, char error[DIAL_ERROR_BYTES]);

/* Waits until there is something to read. ST_TIMEOUT at `deadline_ms` of clock_ms; 0: no
 * deadline. */
enum status dial_wait(int fd, uint64_t deadline_ms);

/* Writes all of it. ST_UNAVAILABLE: the peer is gone or takes nothing. */
enum status dial_write(int fd, struct slice bytes);

/*
 * Reads what is there, at most `size` bytes, waiting until `deadline_ms`. `*got` is 0 at
 * the end of the stream.
 */
enum status dial_read(int fd, char *out, size_t size, uint64_t deadline_ms, size_t *got);

#endif
