/* Flags of the measuring client: see the header. */
#include "bench/client/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(field) offsetof(struct options, field)

static const struct flag flags[] = {
    {"server",        FLAG_TEXT,   "URL",  "where clients connect",              AT(server),         0       },
    {"publisher",     FLAG_TEXT,   "URL",  "where events are posted",            AT(publisher),      0       },
    {"ops",           FLAG_TEXT,   "URL",  "where operators ask",                AT(ops),            0       },
    {"control",       FLAG_TEXT,   "URL",  "the limit server's control",         AT(control),        0       },
    {"key",           FLAG_TEXT,   "KEY",  "that may publish",                   AT(key),            0       },
    {"token-file",    FLAG_TEXT,   "FILE", "a token in each line",               AT(token_file),     0       },
    {"dialect",       FLAG_TEXT,   "NAME", "native, ws, polling or raw",         AT(dialect),        0       },
    {"gateway-pid",   FLAG_LIST,   "PID",  "whose CPU time is counted",          AT(gateway_pids),   0       },
    {"publisher-pid", FLAG_LIST,   "PID",  "whose CPU time is counted",          AT(publisher_pids),
     0                                                                                                       },
    {"clients",       FLAG_NUMBER, "N",    "that listen",                        AT(clients),        1000000 },
    {"rooms",         FLAG_NUMBER, "N",    "in all",                             AT(rooms),          1000000 },
    {"rooms-each",    FLAG_NUMBER, "N",    "that a client is in",                AT(rooms_each),     64      },
    {"events",        FLAG_NUMBER, "N",    "that are counted",                   AT(events),         10000000},
    {"burst",         FLAG_NUMBER, "N",    "events published at once",           AT(burst),          1000    },
    {"bytes",         FLAG_NUMBER, "N",    "of an event's data or a frame",      AT(bytes),          200000  },
    {"asleep",        FLAG_NUMBER, "N",    "clients that do not read",           AT(asleep),         1000000 },
    {"rate",          FLAG_NUMBER, "N",    "events per second",                  AT(rate),           1000000 },
    {"connections",   FLAG_NUMBER, "N",    "that publish",                       AT(connections),    1000    },
    {"window",        FLAG_NUMBER, "N",    "connects under way at once",         AT(window),         1000000 },
    {"at-once",       FLAG_NUMBER, "N",    "connects begun in one go",           AT(at_once),        1000000 },
    {"blocks",        FLAG_NUMBER, "N",    "of rounds, each at a line of stdin", AT(blocks),
     100000                                                                                                  },
    {"idle-ms",       FLAG_NUMBER, "N",    "before memory is counted",           AT(idle_ms),        100000  },
    {"missed",        FLAG_NUMBER, "N",    "events that each client misses",     AT(missed),         10000   },
    {"run-ms",        FLAG_NUMBER, "N",    "that publishing lasts",              AT(run_ms),         600000  },
};

static void set_default(struct flag_number *number, uint64_t value)
{
    if (!number->is_set)
        number->value = value;
}

void options_parse(struct options *options, int argc, char **argv)
{
    struct flag_set set = {flags, sizeof flags / sizeof *flags, options};
    struct flag_list words = {0};
    char error[FLAG_ERROR_BYTES];

    if (!flags_parse(&set, 1, argc - 1, argv + 1, &words, error) || words.count != 1) {
        fprintf(stderr, "bench_client: %s\n",
                words.count == 1 ? error : "exactly one scenario is needed");
        exit(2);
    }
    options->scenario = words.items[0];
    set_default(&options->clients, 100);
    set_default(&options->rooms, 1);
    set_default(&options->rooms_each, 1);
    set_default(&options->events, 20);
    set_default(&options->burst, 1);
    set_default(&options->bytes, 64);
    set_default(&options->rate, 200);
    set_default(&options->connections, 32);
    set_default(&options->blocks, 0);
    set_default(&options->window, 64);
    set_default(&options->at_once, 1000000);
    set_default(&options->idle_ms, 5000);
    set_default(&options->run_ms, 2000);
}

void give_up(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench_client: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}
