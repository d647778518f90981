/* The values of a configuration with their sources, for people and for programs. Secrets
 * are masked. */
#ifndef CLI_CONFIG_SHOW_H
#define CLI_CONFIG_SHOW_H

#include "bridge/config_file.h"

/* One line, or one object of a JSON array, for each value. */
void config_show_effective(const struct options *options, const struct config_file *file,
                           bool is_json, struct buf *out);
void config_show_defaults(bool is_json, struct buf *out);
/* NAME=VALUE lines. */
void config_show_env(const struct options *options, struct buf *out);

#endif
