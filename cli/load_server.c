/* A server for a load: see the header. */
#include "cli/load_server.h"

#include "bridge/clock.h"
#include "bridge/random.h"
#include "cli/http_call.h"
#include "proto/buf.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SECRET_CHARS = 43, /* 258 bits */
    START_MS = 30000,
    STOP_MS = 5000,
    STEP_MS = 10,
    LINE_BYTES = 16 * 1024,
    MAX_ARGS = 4 * FLAG_LIST_MAX + 16,
    SET_BYTES = BUS_FOLDER_BYTES + 16
};

/* --- in the child, before the program */

static void forget_our_settings(void)
{
    static const char prefix[] = "SIDECAST_";

    for (char **at = environ; *at;) {
        struct slice name, value;
        char *copy = NULL;
        if (strncmp(*at, prefix, sizeof prefix - 1) == 0 &&
            slice_cut(slice_of(*at), '=', &name, &value))
            copy = slice_dup(name);
        if (!copy) {
            at++;
            continue;
        }
        unsetenv(copy); /* the next one moves here */
        free(copy);
    }
}

static void add_list(const char **args, size_t *count, const char *flag,
                     const struct flag_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        args[(*count)++] = flag;
        args[(*count)++] = list->items[i];
    }
}

__attribute__((noreturn)) static void become_server(const struct load_server *server,
                                                    int out, int parent,
                                                    const struct flag_list *sets,
                                                    const struct flag_list *hooks)
{
    const char *args[MAX_ARGS] = {"sidecast", "serve",       "--json", "--port",
                                  "0",        "--log-level", "warn"};
    size_t count = 7;
    char data[SET_BYTES];
    sigset_t none;

    snprintf(data, sizeof data, "data_dir=%s", server->folder);
    args[count++] = "--set";
    args[count++] = data;
    args[count++] = "--set";
    args[count++] = "drain.window=0s"; /* its clients are gone by then */
    add_list(args, &count, "--set", sets);
    add_list(args, &count, "--test-hook", hooks);
    /* It ends with us, and a key on the terminal is for us alone. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(out, STDOUT_FILENO);
    forget_our_settings();
    setenv("SIDECAST_PUBLISHER_API_KEYS", server->key, 1);
    setenv("SIDECAST_AUTH_JWT_HMAC_SECRET", server->secret, 1);
    execv("/proc/self/exe", (char *const *)args);
    _exit(127);
}

/* --- its first line */

static bool read_pids(struct load_server *server, const json_t *pids)
{
    const json_t *gateways = json_object_get(pids, "gateways");
    size_t i;
    json_t *pid;

    server->pids[server->pid_count++] =
        (int)json_integer_value(json_object_get(pids, "publisher"));
    json_array_foreach(gateways, i, pid) if (server->pid_count < LOAD_SERVER_PIDS)
        server->pids[server->pid_count++] = (int)json_integer_value(pid);
    return server->pid_count > 1;
}

static bool read_ready(struct load_server *server, struct slice line)
{
    json_t *ready = json_loadb(line.ptr, line.len, JSON_DISABLE_EOF_CHECK, NULL);
    const char *gateway = json_string_value(json_object_get(ready, "gateway"));
    const char *publisher = json_string_value(json_object_get(ready, "publisher"));
    const char *ops = json_string_value(json_object_get(ready, "ops"));
    bool is_good = false;

    if (gateway && publisher && ops) {
        snprintf(server->gateway, LOAD_SERVER_URL_BYTES, "%s", gateway);
        snprintf(server->publisher, LOAD_SERVER_URL_BYTES, "%s", publisher);
        snprintf(server->ops, LOAD_SERVER_URL_BYTES, "%s", ops);
        is_good = read_pids(server, json_object_get(ready, "pids"));
    }
    json_decref(ready);
    return is_good;
}

static bool wait_for_line(struct load_server *server)
{
    struct buf line = {.max = LINE_BYTES};
    uint64_t deadline = clock_ms() + START_MS;
    bool is_good = false;

    for (;;) {
        size_t got = 0;
        char *room = buf_reserve(&line, 1024);
        if (!room || dial_read(server->out, room, 1024, deadline, &got) || got == 0)
            break;
        buf_grew(&line, got);
        if (memchr(line.ptr, '\n', line.len)) {
            is_good = read_ready(server, buf_slice(&line));
            break;
        }
    }
    buf_finish(&line);
    return is_good;
}

/* --- life */

bool load_server_start(struct load_server *server, const struct flag_list *sets,
                       const struct flag_list *hooks, char error[DIAL_ERROR_BYTES])
{
    int ends[2];
    int parent = getpid();

    *server = (struct load_server){.out = -1};
    snprintf(error, DIAL_ERROR_BYTES, "cannot start a server to measure");
    snprintf(server->key, sizeof server->key, "sk_");
    random_text(server->key + 3, SECRET_CHARS);
    random_text(server->secret, SECRET_CHARS);
    if (!bus_folder_create(server->folder))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return false;
    server->pid = fork();
    if (server->pid == 0)
        become_server(server, ends[1], parent, sets, hooks);
    close(ends[1]);
    server->out = ends[0];
    if (server->pid < 0) {
        server->pid = 0;
        return false;
    }
    if (wait_for_line(server))
        return true;
    snprintf(error, DIAL_ERROR_BYTES, "the server to measure did not become ready");
    return false;
}

/* One line of Prometheus text: NAME{labels} VALUE. */
static bool read_lag(struct slice line, uint64_t *lag_us)
{
    static const char name[] = "sidecast_loop_lag_microseconds";
    struct slice before, value;

    return slice_starts_with(line, name) && slice_cut(line, ' ', &before, &value) &&
           slice_to_u64(value, lag_us);
}

bool load_server_lag(const struct load_server *server, uint64_t *lag_us)
{
    struct buf memory = {0};
    struct http_answer answer;
    struct dial_address address;
    struct slice line, rest;
    char error[DIAL_ERROR_BYTES];
    uint64_t one_us;
    bool is_told = false;

    if (!dial_parse(server->ops, &address, error) ||
        http_fetch(&address, "/metrics", &memory, &answer, error)) {
        buf_finish(&memory);
        return false;
    }
    for (rest = answer.body, *lag_us = 0; rest.len > 0;) {
        slice_cut(rest, '\n', &line, &rest);
        if (!read_lag(line, &one_us))
            continue;
        is_told = true;
        if (one_us > *lag_us)
            *lag_us = one_us;
    }
    buf_finish(&memory);
    return is_told;
}

void load_server_stop(struct load_server *server)
{
    uint64_t deadline = clock_ms() + STOP_MS;

    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        while (waitpid(server->pid, NULL, WNOHANG) == 0) {
            if (clock_ms() > deadline)
                kill(server->pid, SIGKILL);
            usleep(STEP_MS * 1000);
        }
        close(server->out);
    }
    server->pid = 0;
    bus_folder_remove(server->folder);
    server->folder[0] = '\0';
}
