/* Error bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/problem.h"

#include <jansson.h>
#include <string.h>

static void assert_encodes(const struct problem *problem, const char *expected)
{
    struct buf out = {.max = 65536};

    problem_encode(&out, problem);
    assert_int_equal(buf_status(&out), ST_OK);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.ptr, expected, out.len);
    buf_finish(&out);
}

static void the_keys_stand_in_their_order(void **state)
{
    static const struct problem_error errors[] = {
        {"/data/x", "x is a string", "a number"},
        {"",        "no target",     NULL      },
    };
    struct problem problem = {
        .status = ST_BAD_PAYLOAD,
        .detail = "two \"things\" are wrong",
        .hint = "Correct them.",
        .instance = SLICE("req-1"),
        .errors = errors,
        .error_count = 2,
    };

    (void)state;
    assert_encodes(
        &problem,
        "{\"type\":\"urn:sidecast:error:E_BAD_PAYLOAD\","
        "\"title\":\"Payload not accepted\",\"status\":422,"
        "\"code\":\"E_BAD_PAYLOAD\",\"detail\":\"two \\\"things\\\" are wrong\","
        "\"hint\":\"Correct them.\",\"instance\":\"req-1\",\"errors\":["
        "{\"pointer\":\"/data/x\",\"detail\":\"x is a string\","
        "\"expected\":\"a number\"},"
        "{\"pointer\":\"\",\"detail\":\"no target\"}]}");
}

static void what_is_not_said_gets_a_general_sentence(void **state)
{
    struct problem problem = {.status = ST_NOT_FOUND};

    (void)state;
    assert_encodes(&problem,
                   "{\"type\":\"urn:sidecast:error:E_NOT_FOUND\",\"title\":\"Not found\","
                   "\"status\":404,\"code\":\"E_NOT_FOUND\",\"detail\":\"Not found\","
                   "\"hint\":\"Correct the request before you send it again.\","
                   "\"instance\":\"\"}");
}

static void every_status_makes_an_object_with_text_in_all_fields(void **state)
{
    static const char *const keys[] = {"type", "title", "code", "detail", "hint"};

    (void)state;
    for (int status = ST_BAD_REQUEST; status < ST_COUNT; status++) {
        struct problem problem = {.status = (enum status)status};
        struct buf out = {.max = 65536};
        problem_encode(&out, &problem);
        json_t *tree = json_loadb(out.ptr, out.len, 0, NULL);
        assert_non_null(tree);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            assert_true(json_string_length(json_object_get(tree, keys[i])) > 0);
        json_decref(tree);
        buf_finish(&out);
    }
}

static void errors_have_a_ceiling(void **state)
{
    struct problem_error errors[PROBLEM_MAX_ERRORS + 5];
    struct problem problem = {.status = ST_BAD_PAYLOAD,
                              .errors = errors,
                              .error_count = PROBLEM_MAX_ERRORS + 5};
    struct buf out = {.max = 65536};

    (void)state;
    for (size_t i = 0; i < PROBLEM_MAX_ERRORS + 5; i++)
        errors[i] = (struct problem_error){"/a", "b", "c"};
    problem_encode(&out, &problem);
    json_t *tree = json_loadb(out.ptr, out.len, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(tree, "errors")),
                     PROBLEM_MAX_ERRORS);
    json_decref(tree);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_stand_in_their_order),
        cmocka_unit_test(what_is_not_said_gets_a_general_sentence),
        cmocka_unit_test(every_status_makes_an_object_with_text_in_all_fields),
        cmocka_unit_test(errors_have_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
