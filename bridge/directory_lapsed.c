/* Sessions whose time is over: see directory.h. */
#include "bridge/directory_tables.h"

#include <stdlib.h>

void directory_unlink_lapsed(struct directory *directory,
                             struct directory_session *session)
{
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    else
        directory->last_lapsed = session->link;
    directory->lapsed_count--;
}

struct directory_session *directory_remains(const struct engine_session *record,
                                            struct slice home)
{
    struct engine_session bare = *record;

    bare.room_count = 0;
    return directory_copy(&bare, home);
}

/* Where it cannot be done nobody is told why. */
void directory_remember(struct directory *directory, struct directory_session *remains,
                        uint64_t until_ms)
{
    if (!remains || str_map_find(&directory->by_pid, remains->record.pid) ||
        str_map_put(&directory->by_pid, remains->record.pid, remains)) {
        free(remains);
        return;
    }
    remains->is_lapsed = true;
    remains->stamp = until_ms;
    remains->link = directory->last_lapsed;
    *directory->last_lapsed = remains;
    directory->last_lapsed = &remains->next;
    directory->lapsed_count++;
    if (directory->lapsed_count > LIMIT_DIRECTORY_LAPSED)
        directory_remove(directory, directory->first_lapsed);
}

void directory_expire_lapsed(struct directory *directory, uint64_t now_ms)
{
    for (int left = DIRECTORY_SLICE; left > 0 && directory->first_lapsed; left--) {
        if (directory->first_lapsed->stamp > now_ms)
            return;
        directory_remove(directory, directory->first_lapsed);
    }
}
