/* sidecast bench: a crowd of clients, events in their rooms, and a verdict. */
#include "bridge/clock.h"
#include "bridge/secret_file.h"
#include "cli/cmd.h"
#include "cli/cmd_bench_print.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/load_server.h"
#include "cli/load_tokens.h"
#include "cli/token_keys_load.h"
#include "proto/units.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    PUBLISH_CONNECTIONS = 16,
    SPARE_CONNECTIONS = 100
};

struct bench_args {
    struct flag_number clients, rooms, rate, publishers;
    uint64_t ramp_ms, duration_ms, drain_ms;
    const char *transport, *size;
    struct flag_list asserts, pids;
    const char *url, *publisher_url, *key_file, *token_file;
};

struct bench {
    struct invocation call;
    struct bench_args args;
    struct bench_shape shape;
    struct load_limits limits;
    const struct load_dialect *dialects[BENCH_TRANSPORTS];
    size_t dialect_count;

    struct load_server server;
    const char *url, *publisher_url, *key;
    char *key_text;   /* of --key-file */
    char *token_text; /* of --token-file: everybody's */
    struct load_tokens tokens;
    int pids[LOAD_SERVER_PIDS];
    size_t pid_count;
    int stop_fd;

    struct bench_row rows[BENCH_TRANSPORTS];
    size_t row_count;
};

static int fail(int code, const char *what, const char *detail)
{
    fprintf(stderr, "sidecast: %s%s\n", what, detail);
    return code;
}

/* --- flags */

static int read_transports(struct bench *bench)
{
    struct slice rest = slice_of(bench->args.transport), item;
    char name[16];
    bool has_more;

    do {
        has_more = slice_cut(rest, ',', &item, &rest);
        snprintf(name, sizeof name, "%.*s", (int)item.len, item.ptr);
        const struct load_dialect *dialect = load_dialect_find(name);
        if (!dialect || strcmp(name, "raw") == 0)
            return fail(EXIT_CODE_USAGE,
                        "--transport needs ws, polling (Socket.IO) or native, or "
                        "several as ws,native: ",
                        name);
        if (bench->dialect_count == BENCH_TRANSPORTS)
            return fail(EXIT_CODE_USAGE, "--transport names too many", "");
        bench->dialects[bench->dialect_count++] = dialect;
    } while (has_more);
    return EXIT_CODE_OK;
}

static int read_shape(struct bench *bench)
{
    const struct bench_args *args = &bench->args;
    const char *reason;

    bench->shape = (struct bench_shape){
        .clients = args->clients.value,
        .rooms = args->rooms.value,
        .rate = args->rate.value,
        .duration_ms = args->duration_ms,
    };
    if (units_parse_size(slice_of(args->size), &bench->shape.payload_bytes, &reason))
        return fail(EXIT_CODE_USAGE, "--size ", reason);
    if (bench->shape.payload_bytes < LOAD_PAYLOAD_MIN ||
        bench->shape.payload_bytes > LOAD_PAYLOAD_MAX)
        return fail(EXIT_CODE_USAGE, "--size needs something between 64B and 200KiB", "");
    if (!bench->shape.clients || !bench->shape.rooms)
        return fail(EXIT_CODE_USAGE, "--clients and --rooms need at least 1", "");
    if (bench->shape.duration_ms == 0)
        return fail(EXIT_CODE_USAGE, "--duration needs more than nothing", "");
    return EXIT_CODE_OK;
}

static int read_limits(struct bench *bench)
{
    char error[DIAL_ERROR_BYTES];

    load_limits_init(&bench->limits);
    load_limits_parse(&bench->limits, SLICE("p95=200ms"), error);
    for (size_t i = 0; i < bench->args.asserts.count; i++)
        if (!load_limits_parse(&bench->limits, slice_of(bench->args.asserts.items[i]),
                               error))
            return fail(EXIT_CODE_USAGE, error, "");
    return EXIT_CODE_OK;
}

static int read_pids(struct bench *bench)
{
    for (size_t i = 0; i < bench->args.pids.count; i++) {
        uint64_t pid;
        if (!slice_to_u64(slice_of(bench->args.pids.items[i]), &pid) || pid == 0 ||
            pid > INT32_MAX)
            return fail(EXIT_CODE_USAGE, "--pid needs the number of a process", "");
        bench->pids[bench->pid_count++] = (int)pid;
    }
    return EXIT_CODE_OK;
}

static int read_flags(struct bench *bench)
{
    int code = read_transports(bench);

    if (!code)
        code = read_shape(bench);
    if (!code)
        code = read_limits(bench);
    if (!code)
        code = read_pids(bench);
    if (!code && !bench->args.url != !bench->args.publisher_url)
        code = fail(EXIT_CODE_USAGE, "--url and --publisher-url belong together", "");
    return code;
}

/* --- whom to measure, and who we are to it */

static int read_secret(const char *path, char **text)
{
    const char *reason;

    if (!path || !secret_file_read(path, text, &reason))
        return EXIT_CODE_OK;
    fprintf(stderr, "sidecast: %s: %s\n", path, reason);
    return EXIT_CODE_DENIED;
}

static int find_server(struct bench *bench)
{
    bench->url = bench->args.url;
    bench->publisher_url = bench->args.publisher_url;
    int code = read_secret(bench->args.key_file, &bench->key_text);
    if (!code)
        code = read_secret(bench->args.token_file, &bench->token_text);
    bench->key = bench->key_text ? bench->key_text : getenv("SIDECAST_API_KEY");
    if (!code && !bench->key)
        code = fail(EXIT_CODE_DENIED,
                    "no key to publish with: give --key-file or SIDECAST_API_KEY", "");
    return code;
}

static int start_server(struct bench *bench)
{
    const struct flag_list *asked = &bench->call.sets;
    char error[DIAL_ERROR_BYTES], room[40];
    /* Room for the clients, and no more: a server warns when it has too few files. */
    struct flag_list sets = {.items = {room}, .count = 1};

    snprintf(room, sizeof room, "limits.connections=%" PRIu64,
             bench->shape.clients + SPARE_CONNECTIONS);
    for (size_t i = 0; i < asked->count && sets.count < FLAG_LIST_MAX; i++)
        sets.items[sets.count++] = asked->items[i];
    if (!load_server_start(&bench->server, &sets, &bench->call.hooks, error))
        return fail(EXIT_CODE_FAILED, error, "");
    bench->url = bench->server.gateway;
    bench->publisher_url = bench->server.publisher;
    bench->key = bench->server.key;
    bench->pid_count = bench->server.pid_count;
    memcpy(bench->pids, bench->server.pids, sizeof bench->pids);
    return EXIT_CODE_OK;
}

static int mint_tokens(struct bench *bench)
{
    char reason[TOKEN_KEYS_REASON_BYTES];
    struct token_keys *keys =
        token_keys_load(&bench->call.config.auth, NULL, NULL, reason);
    int code = EXIT_CODE_OK;

    if (!keys)
        code = fail(EXIT_CODE_CONFIG, reason, "");
    else if (!token_keys_first_secret(keys))
        code = fail(EXIT_CODE_CONFIG, "no token for the clients: give --token-file, or ",
                    "SIDECAST_AUTH_JWT_HMAC_SECRET to sign some with");
    else if (load_tokens_mint(&bench->tokens, (size_t)bench->shape.clients, keys,
                              clock_wall_ms() / 1000))
        code = fail(EXIT_CODE_FAILED, "cannot sign the clients' tokens", "");
    token_keys_destroy(keys);
    return code;
}

static int put_own_secret(struct bench *bench)
{
    char error[OPTIONS_ERROR_BYTES];

    if (!options_forget(bench->call.options, "auth.jwt.hmac_secret_file"))
        return fail(EXIT_CODE_FAILED, "out of memory", "");
    if (options_put(bench->call.options, OPTION_FLAG, SLICE("auth.jwt.hmac_secret"),
                    slice_of(bench->server.secret), error))
        return fail(EXIT_CODE_FAILED, error, "");
    invocation_resolve(&bench->call);
    return EXIT_CODE_OK;
}

static int prepare(struct bench *bench)
{
    int code = bench->args.url ? find_server(bench) : start_server(bench);

    if (!code && !bench->args.url)
        code = put_own_secret(bench);
    if (!code && !bench->token_text)
        code = mint_tokens(bench);
    return code;
}

static const char *token_of(void *ctx, size_t client)
{
    const struct bench *bench = ctx;

    return bench->token_text ? bench->token_text : bench->tokens.items[client];
}

/* --- the load */

static void on_progress(void *ctx, const struct load_progress *progress)
{
    const struct bench *bench = ctx;

    bench_print_progress(stderr, bench->dialects[bench->row_count]->name, progress);
}

static size_t publish_connections(const struct bench *bench)
{
    uint64_t rooms = bench->shape.rooms;

    if (bench->args.publishers.is_set)
        return (size_t)bench->args.publishers.value;
    return rooms < PUBLISH_CONNECTIONS ? (size_t)rooms : PUBLISH_CONNECTIONS;
}

static bool measure(struct bench *bench, struct load *load, char error[DIAL_ERROR_BYTES])
{
    const struct load_publish_plan plan = {
        .url = bench->publisher_url,
        .key = bench->key,
        .connections = publish_connections(bench),
        .rate = bench->shape.rate * bench->shape.rooms,
        .duration_ms = bench->shape.duration_ms,
        .payload_bytes = (size_t)bench->shape.payload_bytes,
        .drain_ms = bench->args.drain_ms,
    };

    load_connect(load);
    return load_report(load)->is_cut || load_publish(load, &plan, error);
}

static int run_transport(struct bench *bench)
{
    bool is_shown = !bench->call.is_quiet && isatty(STDERR_FILENO);
    struct bench_row *row = &bench->rows[bench->row_count];
    char error[DIAL_ERROR_BYTES];
    const struct load_plan plan = {
        .url = bench->url,
        .dialect = bench->dialects[bench->row_count],
        .clients = (size_t)bench->shape.clients,
        .rooms = (size_t)bench->shape.rooms,
        .ramp_ms = bench->args.ramp_ms,
        .token = token_of,
        .ctx = bench,
        .pids = bench->pids,
        .pid_count = bench->pid_count,
        .stop_fd = bench->stop_fd,
        .on_progress = is_shown ? on_progress : NULL,
    };
    struct load *load = load_create(&plan, error);
    bool is_good = load && measure(bench, load, error);

    if (is_shown)
        bench_clear_progress(stderr);
    if (is_good)
        *row = (struct bench_row){.transport = plan.dialect->name,
                                  .report = *load_report(load),
                                  .has_server = bench->pid_count > 0};
    /* While they are there: that all of them leave at once is no part of it. */
    if (is_good && bench->server.pid > 0)
        row->has_lag = load_server_lag(&bench->server, &row->lag_us);
    load_destroy(load);
    return is_good ? EXIT_CODE_OK : fail(EXIT_CODE_UNREACHABLE, error, "");
}

static int run_all(struct bench *bench)
{
    for (bench->row_count = 0; bench->row_count < bench->dialect_count;
         bench->row_count++) {
        int code = run_transport(bench);
        if (code)
            return code;
        if (bench->rows[bench->row_count].report.is_cut) {
            bench->row_count++;
            break;
        }
    }
    return EXIT_CODE_OK;
}

/* --- the verdict */

static int conclude(const struct bench *bench)
{
    const struct bench_row *worst =
        bench_worst(bench->rows, bench->row_count, &bench->limits);
    struct buf verdict = {.max = LOAD_VERDICT_BYTES};

    if (bench->call.is_json) {
        bench_print_json(stdout, &bench->shape, bench->rows, bench->row_count,
                         &bench->limits);
    } else {
        if (!bench->call.is_quiet)
            bench_print_text(stdout, &bench->shape, bench->rows, bench->row_count);
        load_verdict_print(&verdict, &bench->limits, &worst->report);
        printf("%.*s\n", (int)verdict.len, verdict.ptr);
    }
    buf_finish(&verdict);
    return load_limits_are_kept(&bench->limits, &worst->report) ? EXIT_CODE_OK
                                                                : EXIT_CODE_FAILED;
}

/* Signals end the load, and what was measured until then is shown. */
static int watch_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void finish(struct bench *bench)
{
    load_server_stop(&bench->server);
    load_tokens_finish(&bench->tokens);
    free(bench->key_text);
    free(bench->token_text);
    if (bench->stop_fd >= 0)
        close(bench->stop_fd);
    invocation_end(&bench->call);
    free(bench);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    int code = EXIT_CODE_FAILED;

    if (!bench)
        return code;
    bench->args = (struct bench_args){
        .clients = {.value = 1000},
        .rooms = {.value = 2},
        .rate = {.value = 1},
        .duration_ms = 10000,
        .drain_ms = 5000,
        .transport = "ws",
        .size = "100B",
    };
    bench->stop_fd = -1;
    if (!invocation_begin(&bench->call, self, argc, argv, &bench->args, &code)) {
        free(bench);
        return code;
    }
    code = read_flags(bench);
    if (!code && invocation_load(&bench->call, &code)) {
        bench->stop_fd = watch_signals();
        code = prepare(bench);
        if (!code)
            code = run_all(bench);
        if (!code)
            code = conclude(bench);
    }
    finish(bench);
    return code;
}

#define AT(field) offsetof(struct bench_args, field)
static const struct flag flags[] = {
    {"clients",       FLAG_NUMBER,   "N",          "clients that listen (1000)",                             AT(clients),
     LOAD_CLIENTS_MAX                                                                                                                                     },
    {"ramp",          FLAG_DURATION, "DURATION",   "they come in over this time (at once)",
     AT(ramp_ms),                                                                                                               0                         },
    {"transport",     FLAG_TEXT,     "NAME",
     "ws, polling (Socket.IO), native, or several as ws,native (ws)",                                        AT(transport),     0                         },
    {"rooms",         FLAG_NUMBER,   "N",          "rooms; every client is in all of them (2)",              AT(rooms),
     LOAD_SEAT_ROOMS                                                                                                                                      },
    {"rate",          FLAG_NUMBER,   "N",
     "events per second into each room; 0: as fast as answers come (1)",                                     AT(rate),
     1000000                                                                                                                                              },
    {"size",          FLAG_TEXT,     "SIZE",       "of an event's data (100B)",                              AT(size),          0                         },
    {"duration",      FLAG_DURATION, "DURATION",   "how long to publish (10s)",                              AT(duration_ms),
     0                                                                                                                                                    },
    {"drain",         FLAG_DURATION, "DURATION",   "how long to wait for what is missing (5s)",
     AT(drain_ms),                                                                                                              0                         },
    {"publishers",    FLAG_NUMBER,   "N",          "connections that publish (one a room, at most 16)",
     AT(publishers),                                                                                                            LOAD_PUBLISHER_CONNECTIONS},
    {"assert",        FLAG_LIST,     "FIGURE=MAX",
     "p95=200ms,lost=0 and p50 p99 max doubled disordered failed refused closed",                            AT(asserts),       0                         },
    {"url",           FLAG_TEXT,     "URL",
     "of a gateway; without it a server is started for the occasion",                                        AT(url),           0                         },
    {"publisher-url", FLAG_TEXT,     "URL",        "of its publisher",                                       AT(publisher_url), 0                         },
    {"key-file",      FLAG_TEXT,     "FILE",
     "with the publisher's key, instead of SIDECAST_API_KEY",                                                AT(key_file),      0                         },
    {"token-file",    FLAG_TEXT,     "FILE",       "with a token for load:*, instead of signing some",
     AT(token_file),                                                                                                            0                         },
    {"pid",           FLAG_LIST,     "PID",        "of the server, for its CPU and memory; may be repeated",
     AT(pids),                                                                                                                  0                         },
};

const struct command command_bench = {
    .name = "bench",
    .group = GROUP_OPERATE,
    .operands = "",
    .summary = "Measure: many clients, events, latencies and a verdict",
    .example = "  sidecast bench --clients 1000 --ramp 60s --rooms 2 --rate 1 --assert "
               "p95=200ms\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
