/* The parent's side of engine_puppet.h: starts puppets, asks them, waits for their end.
 */
#ifndef TESTS_SUPPORT_PUPPET_PROCESS_H
#define TESTS_SUPPORT_PUPPET_PROCESS_H

#include "bridge/testing/test_hook.h"
#include "support/engine_puppet.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
    PUPPET_WAIT_MS = 30000,
};

struct puppet_process {
    pid_t pid;
    int fd;
};

/* Reads one line into `line`; false after PUPPET_WAIT_MS or at the end. */
static inline bool puppet_hear(struct puppet_process *process, char line[PUPPET_LINE])
{
    size_t len = 0;

    while (len < PUPPET_LINE - 1) {
        struct pollfd ready = {.fd = process->fd, .events = POLLIN};
        if (poll(&ready, 1, PUPPET_WAIT_MS) <= 0 || read(process->fd, line + len, 1) != 1)
            return false;
        if (line[len] == '\n') {
            line[len] = 0;
            return true;
        }
        len++;
    }
    return false;
}

/* Starts a process with an engine and its own test switches (NULL ends `hooks`); its
 * first line ("open", "refused …") is in `line`. */
static inline bool puppet_start(struct puppet_process *process,
                                const struct engine_config *config,
                                const char *const *hooks, char line[PUPPET_LINE])
{
    int fds[2];

    fflush(NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
        return false;
    process->pid = fork();
    if (process->pid == 0) {
        close(fds[0]);
        for (; *hooks; hooks++)
            if (!test_hook_set(*hooks))
                _exit(5);
        puppet_run(fds[1], config);
    }
    close(fds[1]);
    process->fd = fds[0];
    return process->pid > 0 && puppet_hear(process, line);
}

/* Sends a command; puppet_hear has its answer. */
static inline bool puppet_tell(struct puppet_process *process, const char *command)
{
    char text[PUPPET_LINE];
    int n = snprintf(text, sizeof text, "%s\n", command);

    return write(process->fd, text, (size_t)n) == n;
}

/* Sends a command; its answer is in `line`. */
static inline bool puppet_ask(struct puppet_process *process, const char *command,
                              char line[PUPPET_LINE])
{
    return puppet_tell(process, command) && puppet_hear(process, line);
}

/* The exit status, or -1 when it was killed. */
static inline int puppet_wait(struct puppet_process *process)
{
    int status = 0;

    close(process->fd);
    if (waitpid(process->pid, &status, 0) != process->pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static inline void puppet_kill(struct puppet_process *process)
{
    kill(process->pid, SIGKILL);
    puppet_wait(process);
}

#endif
