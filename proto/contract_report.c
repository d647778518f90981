/* Telling where a value breaks a contract: see the header. */
#include "proto/contract_report.h"

#include <stdio.h>
#include <string.h>

static void print_key(struct slice raw, struct buf *out)
{
    char memory[CONTRACT_POINTER_BYTES];
    struct slice key = raw.len < sizeof memory ? json_key_decode(raw, memory) : raw;

    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~')
            buf_add_text(out, "~0");
        else if (key.ptr[i] == '/')
            buf_add_text(out, "~1");
        else
            buf_add_byte(out, key.ptr[i]);
    }
}

static void print_pointer(const struct step *step, char out[CONTRACT_POINTER_BYTES])
{
    const struct step *chain[CONTRACT_MAX_DEPTH];
    struct buf text = {.max = CONTRACT_POINTER_BYTES - 1};
    size_t count = 0;

    for (; step && count < CONTRACT_MAX_DEPTH; step = step->parent)
        chain[count++] = step;
    while (count-- > 0) {
        buf_add_byte(&text, '/');
        if (chain[count]->key.ptr)
            print_key(chain[count]->key, &text);
        else
            buf_add_u64(&text, chain[count]->index);
    }
    memcpy(out, text.len ? text.ptr : "", text.len);
    out[text.len] = '\0';
    buf_finish(&text);
}

struct contract_error *contract_report_add(struct contract_report *report,
                                           const struct step *step, const char *expected)
{
    if (!report || report->count == CONTRACT_MAX_ERRORS)
        return NULL;
    struct contract_error *error = &report->errors[report->count++];
    error->detail[0] = '\0';
    snprintf(error->expected, sizeof error->expected, "%s", expected);
    print_pointer(step, error->pointer);
    return error;
}

static const char *const type_words[] = {"null",          "a boolean", "an object",
                                         "an array",      "a number",  "a string",
                                         "a whole number"};

void contract_report_types(unsigned types, char out[CONTRACT_TYPES_BYTES])
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < sizeof type_words / sizeof *type_words; i++)
        if (types & 1u << i)
            len += (size_t)snprintf(out + len, CONTRACT_TYPES_BYTES - len, "%s%s",
                                    len ? " or " : "", type_words[i]);
}
