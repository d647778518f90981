/* What is read lies inside what came. */
#include "cli/http_answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};

    for (int has_ended = 0; has_ended < 2; has_ended++) {
        struct http_answer answer;
        if (http_answer_read(text, has_ended, &answer) != ST_OK)
            continue;
        if (answer.status < 100 || answer.status > 999 ||
            answer.head.len + answer.body.len > size ||
            http_answer_field(&answer, "Content-Length").len > size)
            abort();
    }
    return 0;
}
