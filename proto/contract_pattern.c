/* Regular expressions of contracts: see the header. */
#include "proto/contract_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    /* Steps of one match: a few milliseconds at the worst. */
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 1000,
    HEAP_KIB = 1024
};

struct contract_pattern {
    pcre2_code *code;
    pcre2_match_context *context;
};

/* As ECMA-262 reads them: \uXXXX, `$` at the very end, an empty class matches nothing. */
static const uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
                                PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
                                PCRE2_NEVER_BACKSLASH_C;

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

enum pattern_verdict contract_pattern_match(const struct contract_pattern *pattern,
                                            struct slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);

    if (!data)
        return PATTERN_TOO_COSTLY;
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""),
                            text.len, 0, 0, data, pattern->context);
    pcre2_match_data_free(data);
    if (found >= 0)
        return PATTERN_MATCHES;
    return found == PCRE2_ERROR_NOMATCH ? PATTERN_DIFFERS : PATTERN_TOO_COSTLY;
}
