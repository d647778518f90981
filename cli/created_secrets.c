/* Secrets that the start makes: see the header. */
#include "cli/created_secrets.h"

#include "bridge/random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char keys_format[] =
    "# Made by sidecast at its start: create_secrets is on.\n"
    "backend:\n"
    "  key: %s\n"
    "  scopes: [publish]\n";

enum {
    TEXT_BYTES = sizeof keys_format + 3 + CREATED_KEY_CHARS
};

static void draw_key(char key[3 + CREATED_KEY_CHARS + 1])
{
    memcpy(key, "sk_", 3);
    random_text(key + 3, CREATED_KEY_CHARS);
}

static void write_secret(char text[TEXT_BYTES])
{
    random_text(text, CREATED_SECRET_CHARS); /* no line end: some read it as it is */
}

static void write_keys(char text[TEXT_BYTES])
{
    char key[3 + CREATED_KEY_CHARS + 1];

    draw_key(key);
    snprintf(text, TEXT_BYTES, keys_format, key);
}

/* A file to make: one row each. */
static const struct {
    const char *key;
    void (*write)(char text[TEXT_BYTES]);
} rows[] = {
    {"auth.jwt.hmac_secret_file", write_secret},
    {"publisher.api_keys_file",   write_keys  },
};

/* A link that leads nowhere is there, too: it is somebody's. */
static bool is_missing(const char *path)
{
    struct stat stat_of;

    return path[0] && lstat(path, &stat_of) && errno == ENOENT;
}

/* False: errno says why. */
static bool make_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *end = strrchr(path, '/');

    if (!end || end == path)
        return true;
    snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path);
    return !mkdir(folder, 0700) || errno == EEXIST;
}

static bool write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    ssize_t n = write(fd, text, len);

    if (n >= 0 && (size_t)n < len)
        errno = ENOSPC;
    return n == (ssize_t)len && fsync(fd) == 0;
}

/* Under a name of its own first, so that nobody reads half of it; to link fails where a
 * file is. False: errno says why, EEXIST that somebody was first. */
static bool make_file(const char *path, const char *text)
{
    char draft[PATH_MAX];

    if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkostemp(draft, O_CLOEXEC); /* O_EXCL, 0600 */
    if (fd < 0)
        return false;
    bool is_made = write_all(fd, text) && link(draft, path) == 0;
    int why = errno;
    close(fd);
    unlink(draft);
    errno = why;
    return is_made;
}

static void make(const struct invocation *call, size_t row, const struct logger *log,
                 struct faults *faults)
{
    const char *path = options_text(call->options, rows[row].key);
    char text[TEXT_BYTES];

    if (!is_missing(path))
        return;
    rows[row].write(text);
    if (make_folder(path) && make_file(path, text))
        log_info(log, "made a secret", LOG_TEXT("key", rows[row].key),
                 LOG_TEXT("file", path));
    else if (errno != EEXIST)
        faults_add(faults, options_place(call->options, rows[row].key), NULL,
                   "%s: create_secrets cannot make %.150s: %s", rows[row].key, path,
                   strerror(errno));
    explicit_bzero(text, sizeof text);
}

bool created_secrets_make(const struct invocation *call, const struct logger *log)
{
    struct faults faults = {0};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (call->config.create_secrets == CONFIG_ON)
            make(call, i, log, &faults);
    bool is_good = faults_are_none(&faults);
    if (!is_good)
        invocation_refuse(call, &faults);
    faults_finish(&faults);
    return is_good;
}

void created_secrets_foresee(struct config *config, struct created_secrets *texts)
{
    struct config_auth *auth = &config->auth;
    struct config_publisher *publisher = &config->publisher;

    random_text(texts->secret, CREATED_SECRET_CHARS);
    draw_key(texts->key);
    if (config->create_secrets != CONFIG_ON)
        return;
    if (is_missing(auth->hmac_secret_file) && !auth->hmac_secret[0]) {
        auth->hmac_secret = texts->secret;
        auth->hmac_secret_file = "";
    }
    if (is_missing(publisher->api_keys_file)) {
        publisher->api_keys = publisher->api_keys[0] ? publisher->api_keys : texts->key;
        publisher->api_keys_file = "";
    }
}
