/* Histograms: see the header. */
#include "cli/load_histogram.h"

#include <stddef.h>

enum {
    STEP_BITS = 7
};

_Static_assert(1 << STEP_BITS == LOAD_HISTOGRAM_STEPS, "the steps are a power of two");

static size_t cell_of(uint64_t value)
{
    if (value < LOAD_HISTOGRAM_STEPS)
        return (size_t)value;

    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    size_t cell = (size_t)(shift << STEP_BITS) + (size_t)(value >> shift);
    return cell < LOAD_HISTOGRAM_CELLS ? cell : LOAD_HISTOGRAM_CELLS - 1;
}

/* The largest value that falls into the cell. */
static uint64_t top_of(size_t cell)
{
    if (cell < LOAD_HISTOGRAM_STEPS)
        return cell;

    unsigned shift = (unsigned)(cell >> STEP_BITS) - 1;
    uint64_t step = (cell & (LOAD_HISTOGRAM_STEPS - 1)) | LOAD_HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void load_histogram_add(struct load_histogram *histogram, uint64_t value)
{
    histogram->cells[cell_of(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t load_histogram_at(const struct load_histogram *histogram, unsigned per_mille)
{
    uint64_t wanted = (histogram->count * per_mille + 999) / 1000;
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    for (size_t i = 0; i < LOAD_HISTOGRAM_CELLS - 1; i++) {
        seen += histogram->cells[i];
        if (seen >= wanted && seen > 0)
            return top_of(i) < histogram->max ? top_of(i) : histogram->max;
    }
    return histogram->max;
}

uint64_t load_histogram_below(const struct load_histogram *histogram, uint64_t value)
{
    size_t end = cell_of(value);
    uint64_t below = 0;

    for (size_t i = 0; i < end; i++)
        below += histogram->cells[i];
    return value > histogram->max ? histogram->count : below;
}
