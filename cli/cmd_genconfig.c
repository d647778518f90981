/* sidecast genconfig: a configuration to begin with, with secrets of its own. */
#include "bridge/random.h"
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

#include <stdio.h>

enum {
    SECRET_CHARS = 43 /* 258 bits */
};

static const char template_text[] =
    "# Sidecast. Check it with: sidecast check-config FILE\n"
    "# Run it with:             sidecast serve -c FILE\n"
    "# It holds secrets: keep it readable for the server alone (chmod 600).\n"
    "\n"
    "# Pages that may connect. Without this line: pages of the gateway's own host.\n"
    "# allowed_origins: [https://app.example.com]\n"
    "\n"
    "gateway:\n"
    "  listen: 127.0.0.1:7410      # clients: Socket.IO at /socket.io/, WebSocket at "
    "/ws\n"
    "\n"
    "publisher:\n"
    "  listen: 127.0.0.1:7411      # backends: POST /broadcast\n"
    "  api_keys: [sk_%s]\n"
    "\n"
    "auth:\n"
    "  jwt:\n"
    "    # Your backend signs the clients' tokens with it (HS256). It may lie in a file "
    "of\n"
    "    # its own: hmac_secret_file: jwt.key\n"
    "    hmac_secret: %s\n"
    "\n"
    "rooms:\n"
    "  - match: \"public:**\"\n"
    "    allow: any                # everybody who is connected\n"
    "  - match: \"user:{claims.sub}:**\"\n"
    "    allow: any                # only one's own\n"
    "  - match: \"**\"\n"
    "    allow: token              # what the token's `rooms` say\n";

static int run(const struct command *self, int argc, char **argv)
{
    char key[SECRET_CHARS + 1], secret[SECRET_CHARS + 1];
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, NULL, &code))
        return code;
    random_text(key, SECRET_CHARS);
    random_text(secret, SECRET_CHARS);
    printf(template_text, key, secret);
    return EXIT_CODE_OK;
}

const struct command command_genconfig = {
    .name = "genconfig",
    .group = GROUP_START,
    .operands = "",
    .summary = "Print a configuration to begin with, with fresh secrets",
    .example = "  (umask 077; sidecast genconfig > sidecast.yaml)\n",
    .run = run,
};
