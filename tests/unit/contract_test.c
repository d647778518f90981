/* Contracts: what is told about a value, and which mistakes are found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/contract.h"
#include "proto/contract_pattern.h"
#include "proto/json_document.h"
#include "proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct contract *compile(const char *schema, struct faults *faults)
{
    struct document_node root;
    struct contract *contract = NULL;

    if (json_document_read("x.json", slice_of(schema), &root, faults))
        contract = contract_compile(&root, faults);
    document_finish(&root);
    return contract;
}

static const char village[] =
    "{\"type\":\"object\",\"required\":[\"agentId\",\"at\"],\"additionalProperties\":"
    "false,"
    "\"properties\":{\"agentId\":{\"type\":[\"string\",\"integer\"]},"
    "\"at\":{\"$ref\":\"#/definitions/point\"},\"mood\":{\"enum\":[\"calm\",\"angry\"]},"
    "\"tags\":{\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":3,"
    "\"items\":{\"type\":\"string\",\"pattern\":\"^[a-z/]+$\"}}},"
    "\"definitions\":{\"point\":{\"type\":\"object\",\"properties\":{"
    "\"x\":{\"type\":\"number\",\"minimum\":0},\"y\":{\"type\":\"number\"}}}}}";

static void each_fault_has_its_pointer(void **state)
{
    static const struct {
        const char *json;
        const char *pointer; /* of the first error; NULL: none */
        const char *expected;
        const char *detail;
    } rows[] = {
        {"{\"agentId\":5,\"at\":{\"x\":1}}",                       NULL,       NULL,                   NULL                            },
        {"{\"agentId\":5,\"at\":{\"x\":-1}}",                      "/at/x",    "minimum",              "must be at least 0"            },
        {"{\"agentId\":true,\"at\":{}}",                           "/agentId", "type",
         "must be a string or a whole number, is a boolean"                                                                            },
        {"{\"agentId\":5}",                                        "",         "required",             "lacks \"at\""                  },
        {"{\"agentId\":5,\"at\":{},\"a/b~\":1}",                   "/a~1b~0",  "additionalProperties",
         "is not known here"                                                                                                           },
        {"{\"agentId\":5,\"at\":{},\"tags\":[\"a\",\"B\"]}",       "/tags/1",  "pattern",
         "does not match the pattern"                                                                                                  },
        {"{\"agentId\":5,\"at\":{},\"tags\":[\"a\",\"\\u0061\"]}", "/tags/1",
         "uniqueItems",                                                                                "is there a second time"        },
        {"{\"agentId\":5,\"at\":{},\"mood\":\"odd\"}",             "/mood",    "enum",
         "must be one of the 2 listed values, like \"calm\""                                                                           },
        {"[1]",                                                    "",         "type",                 "must be an object, is an array"},
        {"",                                                       NULL,       NULL,                   NULL                            },
    };
    struct faults faults = {0};
    struct contract *contract = compile(village, &faults);
    struct contract_report report;

    (void)state;
    assert_non_null(contract);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_empty = rows[i].json[0] == '\0';
        bool holds = contract_holds(contract, slice_of(rows[i].json), &report);
        assert_int_equal(holds, rows[i].pointer == NULL && !is_empty);
        if (!rows[i].pointer)
            continue;
        assert_true(report.count >= 1);
        assert_string_equal(report.errors[0].pointer, rows[i].pointer);
        assert_string_equal(report.errors[0].expected, rows[i].expected);
        assert_string_equal(report.errors[0].detail, rows[i].detail);
    }
    contract_destroy(contract);
}

static void errors_are_told_up_to_a_ceiling(void **state)
{
    struct faults faults = {0};
    struct contract *contract = compile("{\"items\":{\"type\":\"string\"}}", &faults);
    struct contract_report report;
    char json[200] = "[0";

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(json, ",0");
    strcat(json, "]");
    assert_false(contract_holds(contract, slice_of(json), &report));
    assert_int_equal(report.count, CONTRACT_MAX_ERRORS);
    contract_destroy(contract);
}

static void mistakes_are_found_at_load(void **state)
{
    static const struct {
        const char *schema;
        const char *said;
        unsigned line;
    } rows[] = {
        {"{\"tpye\":\"string\"}",                                     "did you mean \"type\"?",   1},
        {"{\n\"type\":\"sting\"}",                                    "did you mean \"string\"?", 2},
        {"{\"$ref\":\"http://x/y\"}",                                 "within the file",          1},
        {"{\"$ref\":\"#/definitions/x\"}",                            "nothing stands",           1},
        {"{\"$ref\":\"#/definitions/\",\"definitions\":{}}",          "nothing stands",           1},
        {"{\"$ref\":\"#\"}",                                          "refers to itself",         1},
        {"{\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},"
         "\"b\":{\"$ref\":\"#/definitions/a\"}}}",           "refers to itself",         1},
        {"{\"pattern\":\"[\"}",                                       "this is no pattern",       1},
        {"{\"minLength\":-1}",                                        "a whole number",           1},
        {"{\"minimum\":\"3\"}",                                       "must be a number",         1},
        {"{\"multipleOf\":0}",                                        "more than 0",              1},
        {"{\"enum\":[]}",                                             "one value at least",       1},
        {"{\"enum\":[1],\"const\":1}",                                "either const or enum",     1},
        {"{\"allOf\":[]}",                                            "one schema at least",      1},
        {"{\"properties\":{\"a\":3}}",                                "a schema is a map",        1},
        {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", "only draft-07",            1},
        {"{\"properties\":{\"a\":{\"$id\":\"x\"}}}",                  "at the top only",          1},
        {"{\"type\":",                                                "this is no JSON",          1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        assert_null(compile(rows[i].schema, &faults));
        assert_true(faults.count >= 1);
        const struct fault *fault = &faults.items[0];
        if (!strstr(fault->message, rows[i].said) &&
            !(fault->hint && strstr(fault->hint, rows[i].said)))
            fail_msg("%s: said %s", rows[i].schema, fault->message);
        assert_int_equal(fault->place.line, rows[i].line);
        faults_finish(&faults);
    }
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct faults faults = {0};

    (void)state;
    assert_null(
        compile("{\"tpye\":1,\"minLength\":-1,\"properties\":{\"a\":{\"itmes\":{}}},"
                "\"definitions\":{\"x\":{\"pattern\":\"(\"}}}",
                &faults));
    assert_int_equal(faults.count, 4);
    faults_finish(&faults);
}

/* A pattern that is exponential for a backtracking matcher ends at a ceiling. */
static void a_costly_pattern_ends(void **state)
{
    struct steps steps = {UINT64_MAX};
    char reason[120];
    struct contract_pattern *pattern = contract_pattern_create(SLICE("^(a+)+$"), reason);

    (void)state;
    assert_non_null(pattern);
    assert_int_equal(
        contract_pattern_match(pattern, SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                               &steps),
        PATTERN_TOO_COSTLY);
    assert_int_equal(contract_pattern_match(pattern, SLICE("aaa"), &steps),
                     PATTERN_MATCHES);
    assert_int_equal(contract_pattern_match(pattern, SLICE("b"), &steps),
                     PATTERN_DIFFERS);
    contract_pattern_destroy(pattern);
}

/* A schema that recurses on the same value, and a value as deep as the gate lets in. */
static void depth_is_bounded(void **state)
{
    struct faults faults = {0};
    struct contract *contract = compile("{\"allOf\":[{\"$ref\":\"#\"}]}", &faults);
    struct contract_report report;

    (void)state;
    assert_non_null(contract);
    assert_false(contract_holds(contract, SLICE("1"), &report));
    assert_string_equal(report.errors[0].expected, "depth");
    contract_destroy(contract);

    contract = compile("{\"items\":{\"$ref\":\"#\"}}", &faults);
    assert_true(
        contract_holds(contract, SLICE("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"), &report));
    contract_destroy(contract);
}

static void lengths_count_characters(void **state)
{
    struct faults faults = {0};
    struct contract *contract = compile("{\"minLength\":2,\"maxLength\":2}", &faults);
    struct contract_report report;

    (void)state;
    assert_true(contract_holds(contract, SLICE("\"\xc3\xab\xf0\x9f\x98\x80\""), &report));
    assert_true(contract_holds(contract, SLICE("\"\\u00eb\\ud83d\\ude00\""), &report));
    assert_true(contract_holds(contract, SLICE("\"\\\"\\\\\""), &report));
    assert_false(contract_holds(contract, SLICE("\"\\ud83d\\ude00\""), &report));
    contract_destroy(contract);
}

/* A value as deep as the gate lets in, below a member that comes before what decides. */
static struct slice deep_union(char json[1000])
{
    int len = 0;

    for (int i = 0; i < 30; i++)
        len += sprintf(json + len, "{\"c\":");
    len += sprintf(json + len, "0");
    for (int i = 0; i < 30; i++)
        len += sprintf(json + len, ",\"k\":\"a\"}");
    return (struct slice){json, (size_t)len};
}

/* `count` times `text`, or different numbers without one, and a 0. Gives memory. */
static char *list_of(size_t count, const char *text)
{
    char *json = malloc(count * 40 + 4), *at = json;

    assert_non_null(json);
    *at++ = '[';
    for (size_t i = 0; i < count; i++)
        at += text ? sprintf(at, "%s,", text) : sprintf(at, "%zu,", i);
    memcpy(at, "0]", sizeof "0]");
    return json;
}

/* A million bytes of one character between quotes, in a list. Gives memory. */
static char *long_text(char of)
{
    char *json = malloc(LIMIT_CLIENT_MESSAGE_BYTES + 1);

    assert_non_null(json);
    memset(json, of, LIMIT_CLIENT_MESSAGE_BYTES);
    json[LIMIT_CLIENT_MESSAGE_BYTES] = '\0';
    memcpy(json, "[\"", 2);
    memcpy(json + LIMIT_CLIENT_MESSAGE_BYTES - 2, "\"]", 2);
    return json;
}

/* Two objects of the same members, one from the last to the first. Gives memory. */
static char *mirrored(size_t count)
{
    char *json = malloc(count * 40), *at = json;

    assert_non_null(json);
    at += sprintf(at, "[{\"x\":0");
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, ",\"%zu\":0", i);
    at += sprintf(at, "},{\"x\":0");
    for (size_t i = count; i-- > 0;)
        at += sprintf(at, ",\"%zu\":0", i);
    sprintf(at, "}]");
    return json;
}

static void is_refused_soon(const char *schema, struct slice json, const char *expected)
{
    struct faults faults = {0};
    struct contract *contract = compile(schema, &faults);
    struct contract_report report;
    clock_t from = clock();

    assert_non_null(contract);
    assert_false(contract_holds(contract, json, &report));
    double took = (double)(clock() - from) / CLOCKS_PER_SEC;
    printf("%zu bytes: %s, %.3f s\n", json.len, schema, took);
    assert_true(report.count > 0);
    assert_string_equal(report.errors[report.count - 1].expected, expected);
    assert_true(took < 5 * 1.0);
    contract_destroy(contract);
}

#define UNION                                                                            \
    "{\"oneOf\":[{\"properties\":{\"k\":{\"const\":\"a\"},\"c\":{\"$ref\":\"#\"}}},"     \
    "{\"properties\":{\"k\":{\"const\":\"b\"},\"c\":{\"$ref\":\"#\"}}}]}"

/* Each doubles, squares or adds up without a ceiling on the whole. */
static void work_is_bounded(void **state)
{
    static const struct {
        const char *schema, *expected;
    } long_rows[] = {
        {"{\"items\":{\"pattern\":\"[a-z]+[0-9]\"}}",                       "budget" },
        {"{\"items\":{\"pattern\":\"(\\\\p{L}|a)+[0-9]\"}}",                "pattern"},
        {"{\"minLength\":1,\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", "budget" },
    };
    char small[1000];
    char *json;

    (void)state;
    is_refused_soon(UNION, deep_union(small), "budget");
    is_refused_soon("{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", SLICE("1"),
                    "budget");
    is_refused_soon("{\"not\":{\"oneOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}}",
                    SLICE("1"), "budget");

    json = list_of(99000, NULL);
    is_refused_soon(
        "{\"items\":{\"type\":\"integer\"},\"uniqueItems\":true,\"maxItems\":10}",
        slice_of(json), "maxItems");
    is_refused_soon("{\"items\":{\"type\":\"integer\"},\"uniqueItems\":true}",
                    slice_of(json), "uniqueItems");
    free(json);

    json = list_of(9000, "\"aaaaaaaaaaaaaaaaaaaaaaaaab\"");
    is_refused_soon("{\"items\":{\"pattern\":\"^(a+)+$\"}}", slice_of(json), "pattern");
    is_refused_soon("{\"contains\":{\"pattern\":\"^(a+)+$\"}}", slice_of(json), "budget");
    free(json);

    json = mirrored(45000);
    is_refused_soon("{\"uniqueItems\":true}", slice_of(json), "budget");
    free(json);

    json = long_text('a');
    for (size_t i = 0; i < sizeof long_rows / sizeof *long_rows; i++)
        is_refused_soon(long_rows[i].schema, slice_of(json), long_rows[i].expected);
    free(json);
}

/* A million bytes of what people send: 90,000 values below a union of kinds, with an
 * enum, a pattern and unique tags. */
static void an_ordinary_payload_never_meets_the_ceiling(void **state)
{
    static const char schema[] =
        "{\"uniqueItems\":true,\"items\":{\"oneOf\":["
        "{\"$ref\":\"#/definitions/a\"},{\"$ref\":\"#/definitions/b\"},"
        "{\"$ref\":\"#/definitions/c\"},{\"$ref\":\"#/definitions/"
        "d\"}]},\"definitions\":{"
        "\"a\":{\"required\":[\"kind\"],\"properties\":{\"kind\":{\"const\":\"a\"}}},"
        "\"b\":{\"required\":[\"kind\"],\"properties\":{\"kind\":{\"const\":\"b\"}}},"
        "\"c\":{\"required\":[\"kind\"],\"properties\":{\"kind\":{\"const\":\"c\"}}},"
        "\"d\":{\"type\":\"object\",\"required\":[\"id\",\"kind\",\"at\",\"tags\"],"
        "\"additionalProperties\":false,\"properties\":{\"kind\":{\"const\":\"d\"},"
        "\"id\":{\"type\":\"string\",\"pattern\":\"^[a-z]+-[0-9]+$\",\"maxLength\":40},"
        "\"at\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\","
        "\"minimum\":0},\"y\":{\"type\":\"number\"}}},\"tags\":{\"type\":\"array\","
        "\"uniqueItems\":true,\"maxItems\":9,\"items\":{\"enum\":[\"p\",\"q\",\"r\","
        "\"s\",\"t\",\"u\",\"v\",\"w\"]}}}}}}";
    struct faults faults = {0};
    struct contract *contract = compile(schema, &faults);
    struct contract_report report;
    char *json = malloc(LIMIT_CLIENT_MESSAGE_BYTES), *at = json;

    (void)state;
    assert_non_null(contract);
    assert_non_null(json);
    *at++ = '[';
    for (size_t i = 0; at - json < LIMIT_CLIENT_MESSAGE_BYTES - 200; i++)
        at += sprintf(at,
                      "%s{\"id\":\"agent-%zu\",\"at\":{\"x\":%zu,\"y\":-1.5},"
                      "\"tags\":[\"w\",\"v\",\"u\"],\"kind\":\"d\"}",
                      i ? "," : "", i, i);
    *at++ = ']';
    if (!contract_holds(contract, (struct slice){json, (size_t)(at - json)}, &report))
        fail_msg("%s: %s", report.errors[0].pointer, report.errors[0].detail);
    free(json);
    contract_destroy(contract);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_pointer),
        cmocka_unit_test(errors_are_told_up_to_a_ceiling),
        cmocka_unit_test(mistakes_are_found_at_load),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(a_costly_pattern_ends),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(an_ordinary_payload_never_meets_the_ceiling),
        cmocka_unit_test(lengths_count_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
