/* Exit codes (sysexits), so that systemd and scripts can act on them. */
#ifndef CLI_EXIT_CODE_H
#define CLI_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_DATA = 65,        /* the server refused what was sent */
    EXIT_CODE_UNREACHABLE = 69, /* no server answers */
    EXIT_CODE_REPLACED = 75,    /* another process was started in its place */
    EXIT_CODE_DENIED = 77,      /* no or bad credential */
    EXIT_CODE_CONFIG = 78,      /* a restart would not help */
    EXIT_CODE_SIGNAL = 128      /* plus its number */
};

#endif
