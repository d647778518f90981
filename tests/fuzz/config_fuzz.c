/* A configuration's bytes → its faults, its options, its tables: whatever they are. */
#include "bridge/config_bind.h"
#include "bridge/config_yaml.h"
#include "proto/system.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TEXT_BYTES = 1024 * 1024
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Nothing outside is touched. */
static enum status read_no_secret(const char *path, char **text, const char **reason)
{
    *text = NULL;
    *reason = "not here";
    return path[0] ? ST_NOT_FOUND : ST_BAD_REQUEST;
}

static void check_faults(struct faults *faults, struct slice text)
{
    struct buf out = {.max = TEXT_BYTES};

    faults_drop_echoes(faults);
    for (size_t i = 0; i < faults->count; i++) {
        require(faults->items[i].message[0] != '\0');
        fault_print(&faults->items[i], text, &out);
    }
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_bind_source source = {"/conf", read_no_secret};
    struct slice text = {(const char *)data, size};
    struct options *options = options_create();
    struct faults faults = {0};
    struct document_node root;
    struct config config;
    bool is_read = config_yaml_read("fuzz.yaml", text, &root, &faults);

    require(is_read == faults_are_none(&faults));
    config_bind(&root, &source, options, &faults);
    options_resolve(options, &config);
    require(config.gateway.count >= 1 && config.gateway.count <= 64);

    struct system *system = system_compile(&root, &system_no_files, &faults);
    require(system || !faults_are_none(&faults));
    system_release(system);
    check_faults(&faults, text);
    faults_finish(&faults);
    options_destroy(options);
    document_finish(&root);
    return 0;
}
