/* What the templates of a command may draw from: who called it, and with what. */
#ifndef PROTO_COMMAND_SOURCES_H
#define PROTO_COMMAND_SOURCES_H

#include "proto/template.h"

enum {
    COMMAND_SOURCES = TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_USER) |
                      TEMPLATE_BIT(TEMPLATE_AUTH) | TEMPLATE_BIT(TEMPLATE_ARGS) |
                      TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_EVENT) |
                      TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID)
};

#endif
