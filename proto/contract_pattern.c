/* Regular expressions of contracts: see the header. */
#include "proto/contract_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MATCH_LIMIT = 100000, /* ways that are tried from one place of the text */
    DEPTH_LIMIT = 1000,
    HEAP_KIB = 1024,
    MATCH_BYTES = 64, /* what it costs to begin, in bytes walked */
    CLASS_COST = 4    /* a character of a class costs as much as so many bytes */
};

struct contract_pattern {
    pcre2_code *code;
    pcre2_match_context *context;
};

/* How far a match has come, and what it draws on. */
struct progress {
    struct steps *steps;
    size_t at;
};

/* As ECMA-262 reads them: \uXXXX, `$` at the very end, an empty class matches nothing.
 * PCRE2_AUTO_CALLOUT calls on_item before each item that is tried. */
static const uint32_t options = PCRE2_AUTO_CALLOUT | PCRE2_UTF | PCRE2_ALT_BSUX |
                                PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                                PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;

static void explain(int code, PCRE2_SIZE offset, char reason[120])
{
    char text[90];

    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    snprintf(reason, 120, "%s, at character %zu", text, offset + 1);
}

struct contract_pattern *contract_pattern_create(struct slice expression,
                                                 char reason[120])
{
    struct contract_pattern *pattern = calloc(1, sizeof *pattern);
    PCRE2_SIZE offset = 0;
    int code = 0;

    snprintf(reason, 120, "out of memory");
    if (!pattern)
        return NULL;
    pattern->context = pcre2_match_context_create(NULL);
    pattern->code = pcre2_compile((PCRE2_SPTR)expression.ptr, expression.len, options,
                                  &code, &offset, NULL);
    if (!pattern->code)
        explain(code, offset, reason);
    if (!pattern->code || !pattern->context) {
        contract_pattern_destroy(pattern);
        return NULL;
    }
    pcre2_set_match_limit(pattern->context, MATCH_LIMIT);
    pcre2_set_depth_limit(pattern->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(pattern->context, HEAP_KIB);
    return pattern;
}

void contract_pattern_destroy(struct contract_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->context);
    free(pattern);
}

/* The limits of PCRE2 begin anew at each place where a match may begin, and do not count
 * what a repeat runs over: this counts both. */
static int on_item(pcre2_callout_block *block, void *ctx)
{
    struct progress *progress = ctx;
    size_t from = progress->at;

    progress->at = block->current_position;
    size_t run = progress->at > from ? progress->at - from : 0;
    return steps_take(progress->steps, run * CLASS_COST) ? 0 : PCRE2_ERROR_CALLOUT;
}

enum pattern_verdict contract_pattern_match(const struct contract_pattern *pattern,
                                            struct slice text, struct steps *steps)
{
    struct progress progress = {steps, 0};
    int found = PCRE2_ERROR_NOMEMORY;

    if (!steps_take(steps, text.len + MATCH_BYTES))
        return PATTERN_TOO_COSTLY;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_copy(pattern->context);
    if (data && context) {
        pcre2_set_callout(context, on_item, &progress);
        found = pcre2_match(pattern->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""),
                            text.len, 0, 0, data, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    if (found >= 0)
        return PATTERN_MATCHES;
    return found == PCRE2_ERROR_NOMATCH ? PATTERN_DIFFERS : PATTERN_TOO_COSTLY;
}
