/* Where tokens are: see the header. */
#include "proto/auth_sources.h"

#include "proto/http_query.h"
#include "proto/json_text.h"
#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>
#include <string.h>

enum source_kind {
    SOURCE_AUTH,
    SOURCE_QUERY,
    SOURCE_COOKIE,
    SOURCE_HEADER,
    SOURCE_SUBPROTOCOL,
    SOURCE_KIND_COUNT
};

/* What is written; a name follows where it ends in a dot. */
static const char *const kind_words[SOURCE_KIND_COUNT] = {
    [SOURCE_AUTH] = "auth.",
    [SOURCE_QUERY] = "query.",
    [SOURCE_COOKIE] = "cookie.",
    [SOURCE_HEADER] = "header",
    [SOURCE_SUBPROTOCOL] = "subprotocol",
};
static const char *const known_words[] = {
    "auth.token", "header", "query.token", "cookie.NAME", "subprotocol",
};

struct auth_source {
    enum source_kind kind;
    char *name;
};

struct auth_sources {
    struct auth_source *rows;
    size_t count;
    char *strip;
};

/* --- compiling */

static bool has_name(const char *word)
{
    return word[strlen(word) - 1] == '.';
}

/* The kind of a source as it is written, and where its name begins; -1: none. */
static int kind_of(struct slice text, size_t *name_at)
{
    for (int kind = 0; kind < SOURCE_KIND_COUNT; kind++) {
        const char *word = kind_words[kind];
        size_t len = strlen(word);
        *name_at = len;
        if (has_name(word) ? slice_starts_with(text, word) && text.len > len
                           : slice_is(text, word))
            return kind;
    }
    return -1;
}

static void add_source(struct auth_sources *sources, struct slice text,
                       struct place place, struct faults *faults)
{
    struct auth_source *row = &sources->rows[sources->count];
    size_t name_at;
    int kind = kind_of(text, &name_at);

    if (kind < 0) {
        faults_add_word(faults, place, "no such source of a token:", text, known_words,
                        sizeof known_words / sizeof *known_words);
        return;
    }
    row->kind = (enum source_kind)kind;
    row->name = slice_dup(slice_from(text, name_at));
    if (!row->name)
        rule_no_memory(place, faults);
    sources->count++;
}

static void add_defaults(struct auth_sources *sources, struct faults *faults)
{
    static const char *const words[] = {"auth.token", "subprotocol", "header",
                                        "query.token"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        add_source(sources, slice_of(words[i]), (struct place){0}, faults);
}

static void add_listed(struct auth_sources *sources, const struct document_node *from,
                       struct faults *faults)
{
    if (from->kind != DOCUMENT_LIST || from->count == 0)
        faults_add(faults, from->place, NULL,
                   "from is a list of places: auth.token, header, …");
    for (size_t i = 0; from->kind == DOCUMENT_LIST && i < from->count; i++) {
        const struct document_node *item = &from->items[i];
        if (item->kind == DOCUMENT_SCALAR)
            add_source(sources, item->text, item->place, faults);
        else
            faults_add(faults, item->place, NULL, "a source of a token is one word");
    }
}

static void read_strip(struct auth_sources *sources, const struct document_node *strip,
                       struct faults *faults)
{
    if (strip->kind != DOCUMENT_SCALAR) {
        faults_add(faults, strip->place, NULL, "strip is a text");
        return;
    }
    sources->strip = slice_dup(slice_trim(strip->text));
    if (!sources->strip)
        rule_no_memory(strip->place, faults);
}

struct auth_sources *auth_sources_compile(const struct document_node *from,
                                          const struct document_node *strip,
                                          struct faults *faults)
{
    struct auth_sources *sources = calloc(1, sizeof *sources);
    size_t faults_before = rule_fault_count(faults);
    size_t room = from ? from->count + 1 : sizeof known_words / sizeof *known_words;

    if (sources)
        sources->rows = calloc(room, sizeof *sources->rows);
    if (!sources || !sources->rows)
        rule_no_memory(from ? from->place : (struct place){0}, faults);
    else if (from)
        add_listed(sources, from, faults);
    else
        add_defaults(sources, faults);
    if (sources && strip)
        read_strip(sources, strip, faults);
    if (rule_fault_count(faults) == faults_before)
        return sources;
    auth_sources_destroy(sources);
    return NULL;
}

void auth_sources_destroy(struct auth_sources *sources)
{
    if (!sources)
        return;
    for (size_t i = 0; i < sources->count; i++)
        free(sources->rows[i].name);
    free(sources->rows);
    free(sources->strip);
    free(sources);
}

/* --- asking */

struct slice auth_sources_strip(const struct auth_sources *sources, struct slice token)
{
    size_t len = sources->strip ? strlen(sources->strip) : 0;

    token = slice_trim(token);
    if (len > 0 && token.len > len &&
        slice_is_nocase(slice_first(token, len), sources->strip))
        token = slice_trim(slice_from(token, len));
    return token;
}

static struct slice bearer_of(struct slice authorization)
{
    struct slice scheme, rest;

    if (!slice_cut(authorization, ' ', &scheme, &rest) ||
        !slice_is_nocase(scheme, "bearer"))
        return (struct slice){0};
    return slice_trim(rest);
}

static struct slice query_of(struct slice query, const char *name, struct buf *memory)
{
    struct slice raw;
    size_t len;

    if (!http_query_find(query, name, &raw) || raw.len == 0)
        return (struct slice){0};
    buf_clear(memory);
    char *text = buf_reserve(memory, raw.len);
    if (!text || !http_percent_decode(raw, true, text, &len))
        return (struct slice){0};
    return (struct slice){text, len};
}

static struct slice cookie_of(struct slice cookies, const char *name)
{
    struct slice value = {0};

    return http_cookie_find(cookies, name, &value) ? value : (struct slice){0};
}

static struct slice subprotocol_of(struct slice rest)
{
    while (rest.len > 0) {
        struct slice item;
        slice_cut(rest, ',', &item, &rest);
        item = slice_trim(item);
        if (slice_starts_with(item, "token."))
            return slice_from(item, strlen("token."));
    }
    return (struct slice){0};
}

static struct slice ask_handshake(const struct auth_source *source,
                                  const struct auth_handshake *handshake,
                                  struct buf *memory)
{
    switch (source->kind) {
    case SOURCE_QUERY: return query_of(handshake->query, source->name, memory);
    case SOURCE_COOKIE: return cookie_of(handshake->cookie, source->name);
    case SOURCE_HEADER: return bearer_of(handshake->authorization);
    case SOURCE_SUBPROTOCOL: return subprotocol_of(handshake->subprotocols);
    case SOURCE_AUTH:
    case SOURCE_KIND_COUNT: break;
    }
    return (struct slice){0};
}

struct auth_found auth_sources_in_handshake(const struct auth_sources *sources,
                                            const struct auth_handshake *handshake,
                                            struct buf *memory)
{
    struct auth_found found = {0};

    for (size_t i = 0; found.token.len == 0 && i < sources->count; i++) {
        struct slice token = ask_handshake(&sources->rows[i], handshake, memory);
        found = (struct auth_found){auth_sources_strip(sources, token), i};
    }
    return found;
}

static struct slice ask_auth(const struct auth_source *source, struct slice given,
                             struct slice auth, struct buf *memory)
{
    if (given.len > 0 && strcmp(source->name, "token") == 0)
        return given;
    struct json_value value = json_object_find(auth, source->name);
    if (value.type != JSON_GATE_STRING)
        return (struct slice){0};
    buf_clear(memory);
    char *text = buf_reserve(memory, value.text.len);
    return text ? json_string_decode(value.text, text) : (struct slice){0};
}

struct slice auth_sources_in_connect(const struct auth_sources *sources,
                                     struct slice given, struct slice auth,
                                     const struct auth_found *carried, struct buf *memory)
{
    size_t end = carried->token.len > 0 ? carried->rank : sources->count;

    for (size_t i = 0; i < end; i++) {
        if (sources->rows[i].kind != SOURCE_AUTH)
            continue;
        struct slice token =
            auth_sources_strip(sources, ask_auth(&sources->rows[i], given, auth, memory));
        if (token.len > 0)
            return token;
    }
    return carried->token;
}
