/*
 * A blocking WebSocket client (RFC 6455) for the tools. One thread. Pings are answered
 * inside ws_client_read.
 */
#ifndef CLI_WS_CLIENT_H
#define CLI_WS_CLIENT_H

#include "cli/dial.h"
#include "cli/ws_reader.h"

struct ws_client {
    int fd; /* -1: not connected */
    struct ws_reader reader;
    uint64_t silence_ms; /* without a byte: the server is gone; 0: it may be silent */
};

/*
 * Connects and shakes hands; then ws_client_close, whatever came. ST_UNAVAILABLE,
 * ST_TIMEOUT and ST_BAD_PACKET (the server answered, but not as a WebSocket) say why in
 * `error`.
 */
enum status ws_client_open(struct ws_client *client, const struct dial_address *address,
                           const char *path, char error[DIAL_ERROR_BYTES]);
void ws_client_close(struct ws_client *client);

enum status ws_client_send(struct ws_client *client, enum ws_opcode opcode,
                           struct slice data);

/*
 * Lends the next text, binary or close message until the next call. ST_TIMEOUT at
 * `deadline_ms` (0: none); ST_UNAVAILABLE when the server is gone, or too long silent.
 */
enum status ws_client_read(struct ws_client *client, uint64_t deadline_ms,
                           struct ws_message *message);

#endif
