/*
 * The only file that knows the bus library (nng 1.5.2). Its rules:
 *
 *   - A receive with a time limit, a cancelled one, or a context can corrupt memory on a
 *     SUB socket and on REQ: no time limits at all, one thread per socket, blocking.
 *     Deadlines live in the loop.
 *   - nng_close can hang for ever: never called.
 *   - PUB drops silently: buffers are as deep as 64 MiB allow, the sequence check of the
 *     gateways does the rest.
 *   - RECVMAXSZ is unlimited by default: set on both ends.
 *   - Whoever reaches an ipc socket is asked for its user: another one is cut off.
 *   - Sockets are made once, at the start, before anything flows.
 *   - A send that meets a connection in its end forgets its message: the transports
 *     return without freeing it. So at most one message leaks per lost connection, which
 *     no call of ours can get back: a leak check is told that sent messages are the
 *     library's.
 *   - A dialer whose peer closes before the handshake never dials again: a publisher
 *     that dies with the connection in its backlog is enough. Closing the dialer is not
 *     safe, so another one is added (link_dial_again). Few may be: where it was the
 *     listener that died, all of them connect once there is a new one, and each carries
 *     every frame.
 *
 * A request is sent again when its connection breaks, and after RESEND_MS when there is
 * no answer: a publisher that was stopped, or one whose answer was lost with a half-dead
 * connection. Requests may be repeated (directory_wire.h), so the time is not critical:
 * it is above any answer's time and below the 2 s after which the loop gives up.
 */
#include "bridge/engine_nng_link.h"

#include "bridge/testing/test_hook.h"
#include "proto/limits.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    RECONNECT_MS = 10,
    RETRY_US = 10000, /* after a receive that found no memory */
    RESEND_MS = 1000,
    COMPLAINT_MS = 60000,
    REDIAL_MS = 2000, /* before a supervisor loses patience; doubled each time */
    MAX_REDIALS = 4,
    HEAD_BYTES = 64 * 1024, /* of a request or an answer, and its seal */
};

/* What is longer the library does not take: whoever asks would send it for ever. */
static size_t max_bytes(enum link_kind kind)
{
    switch (kind) {
    case LINK_EVENTS: return LIMIT_BUS_MESSAGE_BYTES;
    case LINK_REPLAY: return LIMIT_REPLAY_QUESTION_BYTES + HEAD_BYTES;
    default: return LIMIT_DIRECTORY_BYTES + HEAD_BYTES;
    }
}

static enum status set_up(nng_socket socket, enum link_kind kind)
{
    if (nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, max_bytes(kind)) ||
        nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MS) ||
        nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MS))
        return ST_BUS_DOWN;
    return ST_OK;
}

static bool is_ipc(const struct link_url *url)
{
    return strncmp(url->text, "ipc:", 4) == 0;
}

/* On ipc only this user may be at the other end, whatever the file system allows. */
static void on_pipe_coming(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    uint64_t uid;

    (void)event;
    (void)arg;
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) || uid != geteuid())
        nng_pipe_close(pipe);
}

static enum status guard(nng_socket socket, const struct link_url *url)
{
    if (!is_ipc(url))
        return ST_OK;
    return nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_pipe_coming, NULL)
               ? ST_BUS_DOWN
               : ST_OK;
}

static enum status make_seal(enum link_kind kind, struct slice secret,
                             enum seal_side side, struct link *link)
{
    link->seal = NULL;
    if (secret.len == 0)
        return ST_OK;
    link->seal = seal_create(secret, kind, kind == LINK_EVENTS ? SEAL_TELLS : side);
    return link->seal ? ST_OK : ST_NO_MEMORY;
}

enum status link_listen(enum link_kind kind, const struct link_url *url,
                        struct slice secret, struct link *link, const char **reason)
{
    nng_socket socket = NNG_SOCKET_INITIALIZER;
    nng_listener listener;
    bool is_events = kind == LINK_EVENTS;

    *reason = "the bus library cannot open a socket";
    if (is_events ? nng_pub0_open(&socket) : nng_rep0_open(&socket))
        return ST_BUS_DOWN;
    if (set_up(socket, kind) || guard(socket, url) ||
        make_seal(kind, secret, SEAL_ANSWERS, link) ||
        (is_events && nng_socket_set_int(socket, NNG_OPT_SENDBUF, LIMIT_BUS_BUFFERS)))
        return ST_BUS_DOWN;

    *reason = "bus.url: cannot listen there; is the address taken?";
    if (nng_listener_create(&listener, socket, url->text))
        return ST_BUS_DOWN;
    if (is_ipc(url) && nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600))
        return ST_BUS_DOWN;
    if (nng_listener_start(listener, 0))
        return ST_BUS_DOWN;
    link->id = (uint32_t)nng_socket_id(socket);
    return ST_OK;
}

/* A gateway's end, for ever. */
struct link_dialing {
    struct link_url url;
    link_pipe_fn *on_pipe;
    void *ctx;
    atomic_int pipes;   /* that stand, counted by threads of the library */
    unsigned redials;   /* loop thread, as the next */
    uint64_t missed_ms; /* since when there is none; 0: there is, or nobody is there */
};

static void on_dialed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct link_dialing *dialing = arg;

    switch (event) {
    case NNG_PIPE_EV_ADD_PRE:
        atomic_fetch_add(&dialing->pipes, 1);
        if (is_ipc(&dialing->url))
            on_pipe_coming(pipe, event, NULL);
        break;
    case NNG_PIPE_EV_ADD_POST:
        if (dialing->on_pipe)
            dialing->on_pipe(dialing->ctx);
        break;
    case NNG_PIPE_EV_REM_POST: atomic_fetch_sub(&dialing->pipes, 1); break;
    default: break;
    }
}

static enum status watch_pipes(nng_socket socket, struct link_dialing *dialing)
{
    static const nng_pipe_ev events[] = {NNG_PIPE_EV_ADD_PRE, NNG_PIPE_EV_ADD_POST,
                                         NNG_PIPE_EV_REM_POST};

    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (nng_pipe_notify(socket, events[i], on_dialed, dialing))
            return ST_BUS_DOWN;
    return ST_OK;
}

static enum status open_dialing(enum link_kind kind, nng_socket *socket)
{
    if (kind != LINK_EVENTS) {
        if (nng_req0_open(socket) ||
            nng_socket_set_ms(*socket, NNG_OPT_REQ_RESENDTIME, RESEND_MS))
            return ST_BUS_DOWN;
        return ST_OK;
    }
    if (nng_sub0_open(socket) ||
        nng_socket_set_int(*socket, NNG_OPT_RECVBUF, LIMIT_BUS_BUFFERS) ||
        nng_socket_set(*socket, NNG_OPT_SUB_SUBSCRIBE, "", 0))
        return ST_BUS_DOWN;
    return ST_OK;
}

enum status link_dial(enum link_kind kind, const struct link_url *url,
                      struct slice secret, link_pipe_fn *on_pipe, void *ctx,
                      struct link *link, const char **reason)
{
    nng_socket socket = NNG_SOCKET_INITIALIZER;

    *reason = "out of memory";
    link->dialing = calloc(1, sizeof *link->dialing);
    if (!link->dialing)
        return ST_NO_MEMORY;
    link->dialing->url = *url;
    link->dialing->on_pipe = on_pipe;
    link->dialing->ctx = ctx;
    *reason = "the bus library cannot open a socket";
    if (open_dialing(kind, &socket) || set_up(socket, kind) ||
        watch_pipes(socket, link->dialing) || make_seal(kind, secret, SEAL_ASKS, link))
        return ST_BUS_DOWN;
    *reason = "bus.url: cannot dial it";
    if (nng_dial(socket, url->text, NULL, NNG_FLAG_NONBLOCK))
        return ST_BUS_DOWN;
    link->id = (uint32_t)nng_socket_id(socket);
    return ST_OK;
}

static bool stands(const struct link *link)
{
    return atomic_load(&link->dialing->pipes) > 0;
}

static void dial_if_missed(const struct link *link, const struct logger *log,
                           uint64_t now_ms)
{
    struct link_dialing *dialing = link->dialing;

    if (dialing->missed_ms == 0)
        dialing->missed_ms = now_ms;
    if (dialing->redials == MAX_REDIALS ||
        now_ms - dialing->missed_ms < (uint64_t)REDIAL_MS << dialing->redials)
        return;
    dialing->redials++;
    dialing->missed_ms = now_ms;
    log_warn(log, "bus: a link is missing while others stand: dialling once more",
             LOG_TEXT("url", dialing->url.text));
    nng_dial((nng_socket){link->id}, dialing->url.text, NULL, NNG_FLAG_NONBLOCK);
}

void link_dial_again(const struct link links[LINK_KIND_COUNT], const struct logger *log,
                     uint64_t now_ms)
{
    bool is_there = false;

    for (int kind = 0; kind < LINK_KIND_COUNT; kind++)
        is_there = is_there || stands(&links[kind]);
    for (int kind = 0; kind < LINK_KIND_COUNT; kind++) {
        if (is_there && !stands(&links[kind]))
            dial_if_missed(&links[kind], log, now_ms);
        else
            links[kind].dialing->missed_ms = 0;
    }
}

void link_complain(const struct link links[LINK_KIND_COUNT],
                   struct link_complaint *complaint, const struct logger *log,
                   uint64_t now_ms)
{
    unsigned count = 0;

    for (int kind = 0; kind < LINK_KIND_COUNT; kind++)
        count += links[kind].seal ? seal_refused(links[kind].seal) : 0;
    if (count == complaint->count ||
        (complaint->count > 0 && now_ms - complaint->told_ms < COMPLAINT_MS))
        return;
    log_error(log, "bus: messages with a wrong seal; is bus.secret the same everywhere?",
              LOG_NUM("count", count - complaint->count));
    *complaint = (struct link_complaint){count, now_ms};
}

enum status link_send(struct link link, struct slice bytes)
{
    unsigned char seal[SEAL_MAX_BYTES];
    size_t seal_len = link.seal ? seal_make(link.seal, bytes, seal) : 0;
    nng_msg *message;

    if (nng_msg_alloc(&message, bytes.len + seal_len))
        return ST_NO_MEMORY;
    memcpy(nng_msg_body(message), bytes.ptr, bytes.len);
    memcpy((char *)nng_msg_body(message) + bytes.len, seal, seal_len);
    test_hook_given_away(message);
    if (nng_sendmsg((nng_socket){link.id}, message, 0)) {
        nng_msg_free(message);
        return ST_BUS_DOWN;
    }
    return ST_OK;
}

/* Cuts the seal off; ST_FORBIDDEN when it is not ours. */
static enum status unseal(struct link link, nng_msg *message)
{
    struct slice bytes = link_message_bytes((struct link_message *)message);
    size_t len = bytes.len;

    if (!link.seal)
        return ST_OK;
    if (!seal_open(link.seal, &bytes))
        return ST_FORBIDDEN;
    nng_msg_chop(message, len - bytes.len);
    return ST_OK;
}

static enum status receive(struct link link, struct link_message **message)
{
    nng_msg *received;

    if (nng_recvmsg((nng_socket){link.id}, &received, 0))
        return ST_NO_MEMORY;
    enum status st = unseal(link, received);
    if (st)
        nng_msg_free(received);
    else
        *message = (struct link_message *)received;
    return st;
}

struct link_message *link_receive(struct link link)
{
    struct link_message *message;

    return receive(link, &message) ? NULL : message;
}

struct link_message *link_serve(struct link link)
{
    struct link_message *message;
    enum status st;

    while ((st = receive(link, &message)))
        if (st == ST_NO_MEMORY)
            usleep(RETRY_US);
    return message;
}

struct slice link_message_bytes(const struct link_message *message)
{
    nng_msg *msg = (nng_msg *)message;

    return (struct slice){nng_msg_body(msg), nng_msg_len(msg)};
}

struct link_message *link_message_copy(const struct link_message *message)
{
    nng_msg *copy;

    return nng_msg_dup(&copy, (const nng_msg *)message) ? NULL
                                                        : (struct link_message *)copy;
}

void link_message_free(struct link_message *message)
{
    if (message)
        nng_msg_free((nng_msg *)message);
}

enum status link_thread(void (*run)(void *ctx), void *ctx)
{
    uv_thread_t thread;

    if (uv_thread_create(&thread, run, ctx))
        return ST_NO_MEMORY;
    pthread_detach(thread);
    return ST_OK;
}
