/* Descriptors: see the header. */
#include "bridge/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

unsigned descriptors_raise(unsigned wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < wanted) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur > INT_MAX ? INT_MAX : (unsigned)limit.rlim_cur;
}

unsigned descriptors_for_clients(unsigned limit)
{
    unsigned small = limit - limit / 4;

    return limit > 4 * DESCRIPTORS_RESERVED ? limit - DESCRIPTORS_RESERVED : small;
}
