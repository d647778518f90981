/*
 * What a client of a load says on a WebSocket (RFC 6455): the upgrade, and masked frames.
 * Pure.
 */
#ifndef CLI_LOAD_FRAME_H
#define CLI_LOAD_FRAME_H

#include "proto/buf.h"
#include "proto/ws_frame.h"

/* Appends the request for an upgrade. The key is always the same: it proves nothing here.
 */
void load_frame_add_upgrade(struct buf *out, const char *authority, const char *target);

/*
 * Reads the answer. ST_OK: it is a WebSocket, and `*head_len` bytes are the answer's,
 * what follows are frames. ST_AGAIN: more is needed. ST_BAD_PACKET: another answer, whose
 * status is `*http_status` (0: not even HTTP).
 */
enum status load_frame_read_upgrade(struct slice bytes, size_t *head_len,
                                    int *http_status);

/* Appends a whole message, masked with `mask`. */
void load_frame_add(struct buf *out, enum ws_opcode opcode, struct slice payload,
                    uint32_t mask);

#endif
