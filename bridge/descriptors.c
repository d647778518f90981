/* Descriptors: see the header. */
#include "bridge/descriptors.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>

static unsigned change(unsigned wanted, bool may_lower)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < wanted || may_lower) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur > INT_MAX ? INT_MAX : (unsigned)limit.rlim_cur;
}

unsigned descriptors_raise(unsigned wanted)
{
    return change(wanted, false);
}

unsigned descriptors_set(unsigned wanted)
{
    return change(wanted, true);
}

unsigned descriptors_for_clients(unsigned limit)
{
    unsigned small = limit - limit / 4;

    return limit > 4 * DESCRIPTORS_RESERVED ? limit - DESCRIPTORS_RESERVED : small;
}
