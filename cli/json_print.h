/* Printing parts of a server's answer for people. */
#ifndef CLI_JSON_PRINT_H
#define CLI_JSON_PRINT_H

#include "proto/json_text.h"

#include <stdio.h>

/*
 * Writes the member `name` of a checked object: a string without its quotes, anything
 * else as it came, `absent` when there is none.
 */
void json_print_member(FILE *out, struct slice object, const char *name,
                       const char *absent);

/* The same as a sentence: with a full stop where it ends without a sign. */
void json_print_sentence(FILE *out, struct slice object, const char *name);

#endif
