/* The table of statuses: see the header. */
#include "proto/status.h"

struct status_row {
    const char *code;
    const char *title;
    int http;
};

static const struct status_row rows[ST_COUNT] = {
    [ST_OK] = {"OK",              "OK",                                       200},
    [ST_AGAIN] = {"OK",              "More bytes needed",                        200},
    [ST_BAD_REQUEST] = {"E_BAD_REQUEST",   "Request not understood",                   400},
    [ST_BAD_PACKET] = {"E_BAD_REQUEST",   "Packet not understood",                    400},
    [ST_HEAD_TOO_LARGE] = {"E_BAD_REQUEST",   "Request head too large",                   431},
    [ST_NO_LENGTH] = {"E_BAD_REQUEST",   "Length required",                          411},
    [ST_UPGRADE_NEEDED] = {"E_BAD_REQUEST",   "Upgrade required",                         426},
    [ST_BAD_ENCODING] = {"E_BAD_REQUEST",   "Transfer coding not supported",            501},
    [ST_UNAUTH] = {"E_UNAUTH",        "Credential missing or not accepted",       401},
    [ST_BAD_CREDENTIAL] = {"E_UNAUTH",        "Credential missing or not accepted",       401},
    [ST_FORBIDDEN] = {"E_FORBIDDEN",     "Not allowed",                              403},
    [ST_NOT_FOUND] = {"E_NOT_FOUND",     "Not found",                                404},
    [ST_METHOD] = {"E_METHOD",        "Method not allowed",                       405},
    [ST_MEDIA_TYPE] = {"E_MEDIA_TYPE",    "Media type or encoding not supported",     415},
    [ST_TIMEOUT] = {"E_TIMEOUT",       "Too slow",                                 408},
    [ST_CONFLICT] = {"E_CONFLICT",      "The same id is being published right now", 409},
    [ST_ID_REUSED] = {"E_ID_REUSED",     "The same id was used for another body",    422},
    [ST_TOO_LARGE] = {"E_TOO_LARGE",     "Too large",                                413},
    [ST_BAD_PAYLOAD] = {"E_BAD_PAYLOAD",   "Payload not accepted",                     422},
    [ST_BAD_TARGET] = {"E_BAD_TARGET",    "Target not accepted",                      422},
    [ST_UNKNOWN_EVENT] = {"E_UNKNOWN_EVENT", "Unknown event",                            422},
    [ST_RATE_LIMIT] = {"E_RATE_LIMIT",    "Too many requests",                        429},
    [ST_LIMIT] = {"E_LIMIT",         "A limit is reached",                       429},
    [ST_INTERNAL] = {"E_INTERNAL",      "Internal error",                           500},
    [ST_BUSY] = {"E_BUSY",          "Busy",                                     503},
    [ST_NO_MEMORY] = {"E_BUSY",          "Busy",                                     503},
    [ST_BUS_DOWN] = {"E_BUS_DOWN",      "The bus is down",                          503},
    [ST_LOG_DOWN] = {"E_LOG_DOWN",      "The log cannot keep it",                   503},
    [ST_DRAINING] = {"E_DRAINING",      "Stopping",                                 503},
    [ST_UNAVAILABLE] = {"E_UNAVAILABLE",   "Not available",                            503},
};

const char *status_code(enum status status)
{
    return rows[status].code;
}

int status_http(enum status status)
{
    return rows[status].http;
}

const char *status_title(enum status status)
{
    return rows[status].title;
}

bool status_is_passing(enum status status)
{
    return rows[status].http == 503 || rows[status].http == 429;
}
