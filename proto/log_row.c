/* Checksums of rows: see the header. */
#include "proto/log_row.h"

#include "proto/siphash.h"

#include <endian.h>

/* The head's checksum is the key of the body's: nothing is copied together. */
static uint64_t checksum(const struct hash_key *place, const uint64_t *head, size_t words,
                         struct slice bytes)
{
    struct hash_key key = *place;

    key.k0 = siphash(place, (struct slice){(const char *)head, words * sizeof *head});
    return siphash(&key, bytes);
}

uint64_t log_row_checksum(const struct log_row *row)
{
    const struct hash_key place = {row->epoch, row->seq};
    const uint64_t head[] = {htole64(row->prev), htole64(row->at_ms),
                             htole64(row->bytes.len)};

    return checksum(&place, head, sizeof head / sizeof *head, row->bytes);
}

uint64_t log_note_checksum(uint64_t table, struct slice name, uint64_t at_ms,
                           struct slice bytes)
{
    const struct hash_key place = {table, name.len};
    const uint64_t head[] = {htole64(at_ms), siphash(&place, name)};

    return checksum(&place, head, sizeof head / sizeof *head, bytes);
}
