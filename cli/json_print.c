/* Printing parts of an answer: see the header. */
#include "cli/json_print.h"

#include <stdlib.h>
#include <string.h>

void json_print_member(FILE *out, struct slice object, const char *name,
                       const char *absent)
{
    struct json_value value = json_object_find(object, name);
    char *memory = malloc(value.text.len + 1);
    struct slice text = value.text;

    if (value.type == JSON_GATE_NONE)
        text = slice_of(absent);
    else if (memory && value.type == JSON_GATE_STRING)
        text = json_string_decode(value.text, memory);
    fwrite(text.ptr, 1, text.len, out);
    free(memory);
}

void json_print_sentence(FILE *out, struct slice object, const char *name)
{
    struct slice text = json_object_find(object, name).text;

    json_print_member(out, object, name, "");
    /* The sign stands before the closing quote. */
    if (text.len > 2 && !strchr(".?!", text.ptr[text.len - 2]))
        fputc('.', out);
}
