/* Whose request it is: by its sid, by its path. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/owner.h"
#include "client-gw/services.h"
#include "support/yaml_node.h"

static const char yaml[] =
    "mounts:\n"
    "  - {path: /socket.io/, dialect: socketio}\n"
    "  - {path: /engine.io/, dialect: echo}\n"
    "  - {path: /ws, dialect: native}\n"
    "routes:\n"
    "  - {match: 'POST /rooms/:room', do: publish, to: 'r:{path.room}', event: x}\n"
    "  - {match: 'GET /health', do: health, auth: none}\n"
    "  - {match: 'GET /:any/info', do: health, auth: none}\n";

static struct system *system_of(void)
{
    struct document_node node = yaml_node(yaml);
    struct faults faults = {0};
    struct system *system = system_compile(&node, &system_no_files, &faults);

    for (size_t i = 0; i < faults.count; i++)
        print_error("line %u: %s\n", faults.items[i].place.line, faults.items[i].message);
    faults_finish(&faults);
    document_finish(&node);
    assert_non_null(system);
    return system;
}

static const struct config_gateway settings = {
    .upgrades = CONFIG_ON,
    .socketio = CONFIG_ON,
    .native = CONFIG_ON,
    .transports = "websocket",
};

static struct http_head head_of(const char *target)
{
    struct http_head head = {.target = slice_of(target)};

    slice_cut(head.target, '?', &head.path, &head.query);
    return head;
}

#define REST "0123456789012345678901"

static void a_sid_of_another_gateway_is_its_request(void **state)
{
    static const struct {
        const char *target;
        const char *file; /* NULL: ours */
    } rows[] = {
        {"/socket.io/?EIO=4&transport=polling&sid=AC" REST, "AC.mark"},
        {"/socket.io/?sid=-_" REST "&t=1",                  "-_.mark"},
        {"/socket.io?sid=zz" REST,                          "zz.mark"},
        {"/socket.io/more?sid=AC" REST,                     "AC.mark"},
        {"/engine.io/?transport=websocket&sid=AC" REST,     "AC.mark"},
        {"/socket.io/?sid=AC" REST "&sid=AD" REST,          "AD.mark"},
        {"/socket.io/?sid=AB" REST,                         NULL     }, /* ours */
        {"/socket.io/?EIO=4&transport=polling",             NULL     },
        {"/socket.io/?sid=",                                NULL     },
        {"/socket.io/?sid=AC",                              NULL     },
        {"/socket.io/?sid=AC" REST "x",                     NULL     },
        {"/socket.io/?sid=.." REST,                         NULL     },
        {"/socket.io/?sid=/." REST,                         NULL     },
        {"/socket.io/?sid=%41" REST "0",                    NULL     },
        {"/socket.io/?SID=AC" REST,                         NULL     },
        {"/ws?sid=AC" REST,                                 NULL     },
        {"/livez?sid=AC" REST,                              NULL     },
        {"/broadcast?sid=AC" REST,                          NULL     },
    };
    struct system *system = system_of();
    struct client_services services = {.system = system, .gateway_mark = "AB"};

    (void)state;
    services.mounts = mount_table_create(system->mounts, &settings);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head head = head_of(rows[i].target);
        struct fd_pass_owner owner;
        bool is_foreign = owner_is_gateway(&services, &head, &owner);
        if (is_foreign != (rows[i].file != NULL))
            fail_msg("%s", rows[i].target);
        if (is_foreign) {
            assert_string_equal(owner.file, rows[i].file);
            assert_false(owner.is_waited_for);
        }
    }
    mount_table_destroy(services.mounts);
    system_release(system);
}

static void the_publishers_paths_are_its_own_and_those_of_routes(void **state)
{
    static const struct {
        const char *target;
        bool is_publishers;
    } rows[] = {
        {"/broadcast",               true },
        {"/broadcast?dry_run=1",     true },
        {"/v1/publish",              true },
        {"/v1/batch",                true },
        {"/v1/",                     true },
        {"/rooms/7",                 true },
        {"/health",                  true },
        {"/any/info",                true }, /* of a route, as a whole */
        {"/v1/x?sid=AC" REST,        true },
        {"/broadcast/",              false},
        {"/rooms/7/8",               false},
        {"/socket.io/info",          false}, /* a mount goes before a route */
        {"/socket.io",               false},
        {"/ws",                      false},
        {"/engine.io/?transport=ws", false},
        {"/",                        false},
    };
    struct system *system = system_of();
    struct client_services services = {.system = system, .gateway_mark = "AB"};

    (void)state;
    services.mounts = mount_table_create(system->mounts, &settings);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head head = head_of(rows[i].target);
        struct fd_pass_owner owner = {.file = ""};
        if (owner_is_publisher(&services, &head, &owner) != rows[i].is_publishers)
            fail_msg("%s", rows[i].target);
        assert_string_equal(owner.file, rows[i].is_publishers ? "publisher.pass" : "");
        assert_int_equal(owner.is_waited_for, rows[i].is_publishers);
    }
    mount_table_destroy(services.mounts);
    system_release(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sid_of_another_gateway_is_its_request),
        cmocka_unit_test(the_publishers_paths_are_its_own_and_those_of_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
