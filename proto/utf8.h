/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "proto/slice.h"

/* Length (1-4) of the sequence that `text` starts with; 0 when it is none, or is cut off.
 */
size_t utf8_sequence(struct slice text);
bool utf8_is_valid(struct slice text);
/* Valid, and without control characters (U+0000–001F, U+007F–009F). */
bool utf8_is_plain(struct slice text);

#endif
