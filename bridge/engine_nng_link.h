/*
 * Sockets of the bus library, with every rule that keeps 1.5.2 alive (engine_nng_link.c
 * says which) applied in one place. Sockets are opened once and never closed: closing may
 * hang for ever, so a process ends by lifecycle_exit and leaves them to the kernel. Hence
 * a thread that waits in link_receive cannot be joined.
 */
#ifndef BRIDGE_ENGINE_NNG_LINK_H
#define BRIDGE_ENGINE_NNG_LINK_H

#include "bridge/engine_nng_seal.h"
#include "bridge/logger.h"
#include "proto/status.h"

struct link {
    uint32_t id;                  /* 0: none */
    struct seal *seal;            /* NULL: the address protects it */
    struct link_dialing *dialing; /* of a gateway's end */
};

enum link_kind {
    LINK_EVENTS,    /* publish / subscribe */
    LINK_DIRECTORY, /* request / reply */
    LINK_REPLAY,
    LINK_KIND_COUNT
};

/* Where one of the three listens, made from bus.url: see link_url. */
struct link_url {
    char text[256];
};

/*
 * "ipc:///run/sidecast/bus" is a folder with `events`, `directory`, `replay`;
 * "tcp://host:7413" a port and the next two. `*reason` says what is wrong with `bus_url`.
 */
enum status link_url(const char *bus_url, enum link_kind kind, struct link_url *url,
                     const char **reason);

/*
 * Whether strangers are kept out: a folder that is there must be ours alone; tcp wants
 * the loopback or a secret. Otherwise ST_BAD_REQUEST or ST_BUS_DOWN, with `*reason`.
 */
enum status link_trust(const char *bus_url, struct slice secret, const char **reason);

/* The publisher's end, listening. An empty secret: messages have no seal. ST_BUS_DOWN
 * with `*reason`. */
enum status link_listen(enum link_kind kind, const struct link_url *url,
                        struct slice secret, struct link *link, const char **reason);

/*
 * A gateway's end: dials in the background, for ever. `on_pipe` (may be NULL) is called
 * on a thread of the library whenever a connection stands.
 */
typedef void link_pipe_fn(void *ctx);
enum status link_dial(enum link_kind kind, const struct link_url *url,
                      struct slice secret, link_pipe_fn *on_pipe, void *ctx,
                      struct link *link, const char **reason);

/*
 * On each tick of a gateway: dials anew where a dialer has given up, that is where no
 * connection stands although the publisher is there on another link. Loop thread.
 */
void link_dial_again(const struct link links[LINK_KIND_COUNT], const struct logger *log,
                     uint64_t now_ms);

/* What has been said about messages with a wrong seal; zeroed: nothing. */
struct link_complaint {
    unsigned count;
    uint64_t told_ms;
};

/* On each tick: a line in the log when such messages have come, one a minute at most.
 * Otherwise two ends with different secrets would just be silent. Loop thread. */
void link_complain(const struct link links[LINK_KIND_COUNT],
                   struct link_complaint *complaint, const struct logger *log,
                   uint64_t now_ms);

/* Copies `bytes` and sends them; waits for a peer on a request link. */
enum status link_send(struct link link, struct slice bytes);

struct link_message;
/* Waits for ever. Gives a message (link_message_free); NULL: out of memory, asked for
 * nothing, or a message with a wrong seal. */
struct link_message *link_receive(struct link link);
/* The same for who serves: tries again until there is one. */
struct link_message *link_serve(struct link link);
struct slice link_message_bytes(const struct link_message *message);
/* Gives a second one of the same bytes (for the bus shim), or NULL. */
struct link_message *link_message_copy(const struct link_message *message);
void link_message_free(struct link_message *message);

/*
 * Starts a thread that waits in link_receive. Nobody can join it, so it is detached and
 * ends with the process.
 */
enum status link_thread(void (*run)(void *ctx), void *ctx);

/*
 * For ipc: makes the folder (0700) and takes its lock, then clears away sockets of a
 * publisher that is gone. A path that is no socket is refused. Gives the lock's
 * descriptor, or -1 when none was taken. Hold it for the life of the process, even on a
 * failure: closing it would open the door to a second publisher.
 */
enum status link_folder_claim(const char *bus_url, int *lock, const char **reason);

#endif
