/* The token of the demo: user "demo", rooms demo:*, good for a day. Any thread. */
#ifndef CLI_DEMO_TOKEN_H
#define CLI_DEMO_TOKEN_H

#include "bridge/token.h"

#define DEMO_ROOM "demo:1" /* the one that the page joins */

/* Appends it to `out`. */
enum status demo_token_mint(const struct token_keys *keys, int64_t now_s,
                            struct buf *out);

#endif
