/* The table of keys as a JSON Schema, which editors complete and check files with. */
#ifndef CLI_CONFIG_SCHEMA_H
#define CLI_CONFIG_SCHEMA_H

#include "proto/buf.h"

void config_schema_print(struct buf *out);

#endif
