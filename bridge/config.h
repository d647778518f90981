/*
 * What a process was told, after flags, environment, file and defaults have met: one
 * struct per part, and each part of the program is handed its own. Strings live as long
 * as the config.
 */
#ifndef BRIDGE_CONFIG_H
#define BRIDGE_CONFIG_H

#include "bridge/logger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_switch {
    CONFIG_OFF,
    CONFIG_ON,
};

struct config_gateway {
    const char *listen; /* "127.0.0.1:7410" */
    uint64_t count;
    uint64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms, connect_timeout_ms;
    uint64_t max_message_bytes;
    uint64_t probe_ms;               /* 0: no probes are sent */
    const char *transports;          /* comma-separated */
    uint64_t compress_polling_bytes; /* 0: nothing is compressed */
    const char *cookie;              /* empty: none */
    enum config_switch upgrades;
    enum config_switch socketio, native; /* whether mounts of these dialects are served */
};

struct config_publisher {
    const char *listen;
    const char *api_keys;      /* comma-separated sk_…; empty: none */
    const char *api_keys_file; /* empty: none */
    enum config_switch allow_none;
    uint64_t max_body_bytes;
    uint64_t idempotency_ms;
};

struct config_ops {
    const char *listen;
};

struct config_auth {
    const char *hmac_secret;      /* empty: none, */
    const char *hmac_secret_file; /* or it is in this file */
    const char *algorithms;       /* "RS256, ES256"; empty: what each key is for */
    const char *keys;      /* "kid:ALG:FILE, …" of PEM public keys; empty: none */
    const char *jwks_file; /* empty: none */
    const char *jwks_url;  /* empty: none */
    const char *issuer;    /* empty: any */
    const char *audience;  /* of clients' tokens; empty: any */
    uint64_t leeway_ms, max_ttl_ms;
};

struct config_bus {
    const char *engine; /* "nng" */
    const char *url;    /* empty: ipc:// and run_dir */
    const char *secret; /* seals what goes over tcp; empty: nothing is sealed */
};

struct config_log {
    const char *durability; /* "memory", "log", "fsync" */
    uint64_t keep_age_ms, keep_events, keep_bytes;
};

struct config_recovery {
    uint64_t window_ms;
};

/* Lists are comma-separated; the options have checked them. */
struct config_web {
    const char *allowed_origins; /* empty: pages of the same host */
    const char *trusted_proxies; /* prefixes; empty: none */
    enum config_switch cors_credentials;
    uint64_t cors_max_age_ms;
};

struct config_limits {
    uint64_t connections;
    uint64_t connections_per_ip;
    uint64_t connections_per_user; /* 0: no limit */
    const char *handshakes;        /* "5000/s" */
    uint64_t lag_ms;               /* 0: a late loop refuses nobody */
    /* By the user: then the latter two hold for loopback as well. */
    bool is_connections_set, is_per_ip_set, is_handshakes_set;
    uint64_t rooms_per_socket;
    uint64_t outbox_bytes;
    uint64_t outbox_frames;
    uint64_t attachments; /* of one message */
    uint64_t attachments_timeout_ms;
    uint64_t acks; /* that one client may owe */
};

struct config_drain {
    uint64_t window_ms; /* 0: everybody at once */
};

struct config_logs {
    enum log_level level;
    enum log_format format;
};

struct config {
    const char *data_dir;   /* empty: the usual one of this user */
    const char *run_dir;    /* empty: the usual one of this user */
    const char *public_url; /* empty: nobody knows */
    enum config_switch create_secrets;
    struct config_gateway gateway;
    struct config_publisher publisher;
    struct config_ops ops;
    struct config_auth auth;
    struct config_web web;
    struct config_bus bus;
    struct config_log log;
    struct config_recovery recovery;
    struct config_limits limits;
    struct config_logs logs;
    struct config_drain drain;
};

#endif
