/*
 * What can come of an operation: one enum for the whole tree. The table in status.c gives
 * each value its wire code (`E_BAD_PAYLOAD`, the same in HTTP bodies, acks, connect_error
 * and native messages) and its HTTP status. Several values may share a wire code.
 */
#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

#include <stdbool.h>

enum status {
    ST_OK = 0,
    ST_AGAIN, /* not a failure: more bytes are needed */

    ST_BAD_REQUEST,
    ST_BAD_PACKET,     /* E_BAD_REQUEST: a frame that breaks its protocol */
    ST_HEAD_TOO_LARGE, /* E_BAD_REQUEST, 431 */
    ST_NO_LENGTH,      /* E_BAD_REQUEST, 411 */
    ST_UPGRADE_NEEDED, /* E_BAD_REQUEST, 426 */
    ST_BAD_ENCODING,   /* E_BAD_REQUEST, 501: Transfer-Encoding other than chunked */
    ST_UNAUTH,         /* E_UNAUTH: no credential */
    ST_BAD_CREDENTIAL, /* E_UNAUTH: one was given, and it is not accepted */
    ST_FORBIDDEN,
    ST_NOT_FOUND,
    ST_METHOD,
    ST_MEDIA_TYPE,
    ST_TIMEOUT,
    ST_CONFLICT,
    ST_ID_REUSED,
    ST_TOO_LARGE,
    ST_BAD_PAYLOAD,
    ST_BAD_TARGET,
    ST_UNKNOWN_EVENT,
    ST_RATE_LIMIT,
    ST_LIMIT,
    ST_INTERNAL,
    ST_BUSY,
    ST_NO_MEMORY, /* E_BUSY: it may well fit a moment later */
    ST_BUS_DOWN,
    ST_LOG_DOWN,
    ST_DRAINING,
    ST_UNAVAILABLE,

    ST_COUNT
};

/* "E_BAD_PAYLOAD"; "OK" for ST_OK. */
const char *status_code(enum status status);
/* 422; 200 for ST_OK. */
int status_http(enum status status);
/* A few words for people: "Payload not accepted". */
const char *status_title(enum status status);
/* Worth a Retry-After: the same request may succeed later. */
bool status_is_passing(enum status status);

#endif
