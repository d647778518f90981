/*
 * Requests that belong to another process of this machine: a session's requests to the
 * gateway that has it, publishes to the publisher. The socket goes, with its head unread,
 * and is met there as if it had been accepted there: with that process' own gate, limits
 * and policy. Once handed on it goes no further, so that two processes which disagree
 * cannot throw it to and fro.
 */
#include "bridge/front_parts.h"

#include "bridge/peer_ip.h"

#include <string.h>

bool front_hand_on(struct front *front, int fd, const struct front_peer *peer,
                   const struct http_head *head, struct problem *problem)
{
    struct fd_pass_owner owner;

    if (!front->config.pass || !front->config.find_owner ||
        !front->config.find_owner(front->config.ctx, head, &owner))
        return false;
    if (peer->is_handed) {
        problem->status = ST_BAD_REQUEST;
        problem->detail = "The process that this request was handed to does not know it.";
        return false;
    }
    enum status st = fd_pass_send(front->config.pass, &owner, fd);
    if (st == ST_OK) {
        peer_guest_leave(peer->guest);
        return true;
    }
    if (st != ST_NOT_FOUND) {
        problem->status = st;
        problem->detail = "Too many requests wait for the process that answers them.";
    }
    return false;
}

static struct front_peer peer_of(const struct sockaddr *address, socklen_t len)
{
    struct front_peer peer = {.is_handed = true, .ip = peer_address(address, len)};

    memcpy(&peer.address, address, len);
    peer.len = len;
    return peer;
}

static void on_socket(void *ctx, int fd, const struct sockaddr *address, socklen_t len)
{
    struct front *front = ctx;
    struct front_peer peer = peer_of(address, len);

    if (front->config.max_fd > 0 && fd >= (int)front->config.max_fd)
        front_refuse_at_once(front, fd, &peer, ST_BUSY,
                             "No descriptor is free for clients.");
    else
        front_meet(front, fd, &peer);
}

static void on_return(void *ctx, int fd, enum status why)
{
    struct front *front = ctx;
    struct problem problem = {.status = why};
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    /* One that has left is written to in vain. */
    getpeername(fd, (struct sockaddr *)&address, &len);
    struct front_peer peer = peer_of((struct sockaddr *)&address, len);
    if (why == ST_UNAVAILABLE)
        problem.detail = "The process that answers this is not there at the moment.";
    else if (why == ST_BUSY)
        problem.detail = "The process that answers this takes no more requests.";
    metrics_add(front->config.metrics, METRIC_SOCKETS_RETURNED, 1);
    front_refuse(front, fd, &peer, NULL, &problem);
}

const struct fd_pass_events front_pass_events = {
    .on_socket = on_socket,
    .on_return = on_return,
};
