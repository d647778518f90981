/*
 * What the files of the front share: front.c accepts, front_visitor.c waits for heads and
 * decides. Loop thread only.
 */
#ifndef BRIDGE_FRONT_PARTS_H
#define BRIDGE_FRONT_PARTS_H

#include "bridge/front.h"
#include "bridge/http_refuser.h"
#include "bridge/list.h"

struct front {
    struct front_config config;
    struct http_refuser *refuser;
    uv_poll_t listener;
    uv_timer_t sweep;
    struct list_node visitors; /* oldest first: all may wait equally long */
    unsigned visitor_count;
    int spare_fd; /* given up to accept and refuse when descriptors run out */
    bool is_deaf; /* no spare either: the listener rests until the next sweep */
    bool is_stopped;
    unsigned open_handles;
};

struct front_peer {
    struct sockaddr_storage address;
    socklen_t len;
    struct ip_address ip;
    struct peer_guest *guest; /* NULL: exempt, or not known before the head is here */
};

/* Takes a fresh socket, whose guest has not entered yet: hands it on, refuses it, or
 * waits for the rest of its head. */
void front_meet(struct front *front, int fd, struct front_peer *peer);
/* Refuses those whose time is over. */
void front_visitors_sweep(struct front *front);
void front_visitors_close(struct front *front);
/* The sweep runs while somebody waits for it. */
void front_sweep_start(struct front *front);

/* Takes `fd`: 503, and closes without lingering, since descriptors are what is short. */
void front_refuse_at_once(struct front *front, int fd, const struct front_peer *peer,
                          const char *detail);

#endif
