/*
 * A configuration file with all that belongs to it: its text, its document, the contracts
 * beside it. Places of faults and options are lent by it. Any one thread.
 */
#ifndef BRIDGE_CONFIG_FILE_H
#define BRIDGE_CONFIG_FILE_H

#include "bridge/options.h"
#include "proto/system.h"

struct config_file;

/*
 * Where the file is: `flag` (-c), else SIDECAST_CONFIG of the environment ("" is none),
 * else the usual place if there is one there, else NULL. Lends one of them.
 */
const char *config_file_find(const char *flag, char *const *environment);

/*
 * Reads the file; NULL is no file and gives an empty document. Gives it
 * (config_file_close) whatever is wrong with it, with its faults added; NULL: out of
 * memory.
 */
struct config_file *config_file_open(const char *path, struct faults *faults);
void config_file_close(struct config_file *file);

/* Lends the file's absolute name, or NULL when there is none. */
const char *config_file_path(const struct config_file *file);

/* Lends the whole document. */
const struct document_node *config_file_root(const struct config_file *file);

/* Lends what the file says for an option, or NULL; not what KEY_file says. */
const struct document_node *config_file_node(const struct config_file *file,
                                             const struct config_key *key);

/* Puts the file's values into `options`, which must not outlive the file. */
void config_file_bind(const struct config_file *file, struct options *options,
                      struct faults *faults);
/* Gives the compiled tables (system_release), or NULL after a fault. */
struct system *config_file_compile(struct config_file *file, struct faults *faults);

/* The files that the tables were compiled from: after config_file_compile. Lends. */
struct system_files config_file_files(const struct config_file *file);

/* Appends all faults as people read them, in order; of those at one place the first. */
void config_file_print(const struct config_file *file, struct faults *faults,
                       struct buf *out);
/* Lends the text that a place is in, or nothing: also where the line shows a secret. */
struct slice config_file_source(const struct config_file *file, struct place place);

#endif
