/* Whose request it is: see the header. */
#include "client-gw/owner.h"

#include "client-gw/dialect.h"
#include "client-gw/services.h"
#include "proto/http_query.h"
#include "proto/route_rules.h"

#include <string.h>

bool owner_is_gateway(const struct client_services *services,
                      const struct http_head *head, struct fd_pass_owner *owner)
{
    const struct mount *mount;
    struct slice sid;

    if (!http_query_find(head->query, "sid", &sid) || sid.len != LIMIT_EIO_SID_BYTES ||
        memcmp(sid.ptr, services->gateway_mark, FD_PASS_MARK_BYTES - 1) == 0)
        return false;
    mount = mount_table_find(services->mounts, head->path);
    return mount && mount->dialect->messages && fd_pass_owner_marked(sid.ptr, owner);
}

bool owner_is_publisher(const struct client_services *services,
                        const struct http_head *head, struct fd_pass_owner *owner)
{
    bool is_built_in =
        slice_is(head->path, "/broadcast") || slice_starts_with(head->path, "/v1/");

    if (!is_built_in && (mount_table_find(services->mounts, head->path) ||
                         !route_rules_have_path(services->system->routes, head->path)))
        return false;
    *owner = fd_pass_owner_named("publisher");
    return true;
}
