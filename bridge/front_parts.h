/*
 * What the files of the front share: front.c accepts, front_visitor.c waits for heads and
 * decides, front_hand_on.c is what lies between two processes. Loop thread only.
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
    int spare_fd;    /* given up to accept and refuse when descriptors run out */
    bool is_deaf;    /* no spare either: the listener rests until the next sweep */
    bool is_resting; /* who connects waits for another process */
    bool is_stopped;
    unsigned open_handles;
};

struct front_peer {
    struct sockaddr_storage address;
    socklen_t len;
    struct ip_address ip;
    struct peer_guest *guest; /* NULL: exempt, or not known before the head is here */
    bool is_handed;           /* it came by another process, and goes to none from here */
};

/* Takes a fresh socket, whose guest has not entered yet: hands it on, refuses it, or
 * waits for the rest of its head. */
void front_meet(struct front *front, int fd, struct front_peer *peer);
/* Takes `fd` and the guest. `head` NULL: nothing is known of it. */
void front_refuse(struct front *front, int fd, const struct front_peer *peer,
                  const struct http_head *head, const struct problem *problem);

/* True: the request is another process', and `fd` and the guest are gone. Else
 * `problem->status` says whether it is to be refused or is ours. */
bool front_hand_on(struct front *front, int fd, const struct front_peer *peer,
                   const struct http_head *head, struct problem *problem);
/* What fd_pass brings and brings back. The context is the front. */
extern const struct fd_pass_events front_pass_events;
/* Refuses those whose time is over. */
void front_visitors_sweep(struct front *front);
/* Refuses them all: no further head is met. */
void front_visitors_dismiss(struct front *front);
/* The sweep runs while somebody waits for it. */
void front_sweep_start(struct front *front);

/* Takes `fd` and closes it without lingering: descriptors are short, or time is. */
void front_refuse_at_once(struct front *front, int fd, const struct front_peer *peer,
                          enum status status, const char *detail);

#endif
