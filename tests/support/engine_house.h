/*
 * A publisher and a gateway in processes of their own (puppet_process.h), on an engine
 * that a table row names. The including test has cmocka.
 */
#ifndef TESTS_SUPPORT_ENGINE_HOUSE_H
#define TESTS_SUPPORT_ENGINE_HOUSE_H

#include "bridge/engine_nng_link.h"
#include "support/puppet_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* One row per engine. */
struct engine_row {
    const char *name;
    /* Where it may live; `folder` exists and is private. */
    void (*make_url)(char *url, size_t size, const char *folder);
    const char *secret;
    const char *durability;
};

static inline void ipc_url(char *url, size_t size, const char *folder)
{
    snprintf(url, size, "ipc://%s/bus", folder);
}

/* `*port` 0: any, and gives which. -1: somebody has it. */
static inline int house_bind(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)*port)};
    socklen_t len = sizeof address;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, len)) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&address, &len);
    *port = ntohs(address.sin_port);
    /* Only now: nobody has it, and the bus library, which says so too, may listen. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd;
}

/* The first of one port per link, in a row, which stay bound; 0: try again. */
static inline int house_claim_ports(void)
{
    int fds[LINK_KIND_COUNT];
    int first = 0, bound = 0;

    for (; bound < LINK_KIND_COUNT; bound++) {
        int port = bound == 0 ? 0 : first + bound;
        fds[bound] = house_bind(&port);
        if (fds[bound] < 0)
            break;
        first = port - bound;
    }
    if (bound == LINK_KIND_COUNT)
        return first;
    while (bound > 0)
        close(fds[--bound]);
    return 0;
}

/* Ports that are this run's alone, as long as it lives. */
static inline void tcp_url(char *url, size_t size, const char *folder)
{
    static int first;

    (void)folder;
    for (int i = 0; first == 0 && i < 100; i++)
        first = house_claim_ports();
    assert_int_not_equal(first, 0);
    snprintf(url, size, "tcp://127.0.0.1:%d", first);
}

static const struct engine_row nng_ipc = {"nng", ipc_url, "", "memory"};
static const struct engine_row nng_tcp = {"nng", tcp_url, "", "memory"};
static const struct engine_row nng_log = {"nng", ipc_url, "", "log"};
static const struct engine_row nng_fsync = {"nng", ipc_url, "", "fsync"};
static const struct engine_row nng_sealed = {
    "nng", tcp_url, "0123456789abcdef0123456789abcdef", "memory"};

struct house {
    const struct engine_row *row;
    char folder[64];
    char url[128];
    char data[80];
    struct engine_config config;
    struct puppet_process publisher, gateway, rival;
    char line[PUPPET_LINE];
};

static inline void house_open(struct house *house, void **state)
{
    *house = (struct house){.row = *state};
    snprintf(house->folder, sizeof house->folder, "/tmp/engine_test.XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    snprintf(house->data, sizeof house->data, "%s/data", house->folder);
    house->row->make_url(house->url, sizeof house->url, house->folder);
    house->config = (struct engine_config){
        .name = house->row->name,
        .url = house->url,
        .secret = house->row->secret,
        .gateway_id = "g1",
        .durability = house->row->durability,
        .data_dir = house->data,
        .key_age_ms = 300000,
        .mark_age_ms = 240000,
        .recovery_ms = 120000,
        .keep = {300000, 100000, 64 << 20},
    };
}

static inline void house_remove(struct house *house)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", house->folder);
    assert_int_equal(system(command), 0);
}

static inline void start_with(struct house *house, struct puppet_process *process,
                              enum engine_role role, const char *const *hooks)
{
    house->config.role = role;
    assert_true(puppet_start(process, &house->config, hooks, house->line));
    assert_string_equal(house->line, "open");
}

static const char *const house_no_hooks[] = {NULL};

static inline void start(struct house *house, struct puppet_process *process,
                         enum engine_role role)
{
    start_with(house, process, role, house_no_hooks);
}

static inline void ask(struct house *house, struct puppet_process *process,
                       const char *command, const char *answer)
{
    if (!puppet_ask(process, command, house->line))
        fail_msg("no answer to: %s", command);
    if (strcmp(house->line, answer) != 0)
        fail_msg("%s: expected '%s', got '%s'", command, answer, house->line);
}

/* Asks again until the answer is there: for what takes effect elsewhere. */
static inline void ask_until(struct house *house, struct puppet_process *process,
                             const char *command, const char *answer)
{
    for (int ms = 0; ms < PUPPET_WAIT_MS; ms += 20) {
        assert_true(puppet_ask(process, command, house->line));
        if (strcmp(house->line, answer) == 0)
            return;
        usleep(20000);
    }
    fail_msg("%s: waited for '%s', got '%s'", command, answer, house->line);
}

static inline void open_both(struct house *house)
{
    start(house, &house->publisher, ENGINE_LOG);
    start(house, &house->gateway, ENGINE_GATEWAY);
    ask(house, &house->gateway, "ready 1", "ready");
}

static inline void start_rival(struct house *house, const char *id)
{
    house->config.gateway_id = id;
    start(house, &house->rival, ENGINE_GATEWAY);
    ask(house, &house->rival, "ready 1", "ready");
}

/* Both ends close in time, and leak nothing (exit status 0 under the sanitizers). */
static inline void close_one(struct house *house, struct puppet_process *process)
{
    ask(house, process, "close", "closed");
    assert_int_equal(puppet_wait(process), 0);
}

static inline void close_both(struct house *house)
{
    close_one(house, &house->gateway);
    close_one(house, &house->publisher);
    house_remove(house);
}

/* The thread sanitizer lets each process sleep for a second at its end; there are many.
 */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

/* A test of the house that a row describes. */
#define ROW(test, row) cmocka_unit_test_prestate(test, (void *)&(row))

#endif
