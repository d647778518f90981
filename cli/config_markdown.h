/* The reference of all keys, for docs/configuration.md. */
#ifndef CLI_CONFIG_MARKDOWN_H
#define CLI_CONFIG_MARKDOWN_H

#include "proto/buf.h"

void config_markdown_print(struct buf *out);

#endif
