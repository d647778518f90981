/* A small document for a test, from its YAML text. */
#ifndef TESTS_SUPPORT_YAML_NODE_H
#define TESTS_SUPPORT_YAML_NODE_H

#include "bridge/config_yaml.h"

static inline struct document_node yaml_node(const char *text)
{
    struct faults faults = {0};
    struct document_node node;

    assert_true(config_yaml_read("test.yaml", slice_of(text), &node, &faults));
    assert_true(faults_are_none(&faults));
    return node;
}

#endif
