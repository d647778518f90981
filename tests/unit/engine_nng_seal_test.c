/* Seals: what is sealed by one end opens at the other, and nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/engine_nng_seal.h"

#include <string.h>

#define SECRET SLICE("0123456789abcdef0123456789abcdef")

/* A message as it goes over the wire. */
struct wire {
    char bytes[200];
    size_t len;
};

static void put(struct seal *seal, const char *text, struct wire *wire)
{
    unsigned char trailer[SEAL_MAX_BYTES];
    size_t len = strlen(text);
    size_t more = seal_make(seal, slice_of(text), trailer);

    memcpy(wire->bytes, text, len);
    memcpy(wire->bytes + len, trailer, more);
    wire->len = len + more;
}

static bool opens(struct seal *seal, const struct wire *wire, const char *text)
{
    struct slice message = {wire->bytes, wire->len};

    if (!seal_open(seal, &message))
        return false;
    assert_int_equal(message.len, strlen(text));
    assert_memory_equal(message.ptr, text, message.len);
    return true;
}

/* Every prefix, every byte turned, and a byte too many. */
static void assert_only_whole(struct seal *seal, const struct wire *wire)
{
    struct wire bad = *wire;

    for (bad.len = 0; bad.len < wire->len; bad.len++)
        assert_false(opens(seal, &bad, ""));
    bad.len = wire->len + 1;
    assert_false(opens(seal, &bad, ""));
    bad.len = wire->len;
    for (size_t i = 0; i < wire->len; i++) {
        bad.bytes[i] ^= 1;
        assert_false(opens(seal, &bad, ""));
        bad.bytes[i] ^= 1;
    }
}

static void news_open_unless_they_were_touched(void **state)
{
    struct seal *sender = seal_create(SECRET, 0, SEAL_TELLS);
    struct seal *receiver = seal_create(SECRET, 0, SEAL_TELLS);
    struct wire wire = {{0}, 0};

    (void)state;
    put(sender, "a frame", &wire);
    assert_int_equal(wire.len, 7 + SEAL_TAG_BYTES);
    assert_true(opens(receiver, &wire, "a frame"));
    assert_only_whole(receiver, &wire);
    put(sender, "", &wire);
    assert_true(opens(receiver, &wire, ""));
    seal_destroy(sender);
    seal_destroy(receiver);
}

static void an_answer_opens_only_after_its_question(void **state)
{
    struct seal *client = seal_create(SECRET, 1, SEAL_ASKS);
    struct seal *server = seal_create(SECRET, 1, SEAL_ANSWERS);
    struct wire question = {{0}, 0}, answer = {{0}, 0}, next = {{0}, 0};

    (void)state;
    put(client, "question", &question);
    assert_true(opens(server, &question, "question"));
    assert_only_whole(server, &question);
    put(server, "answer", &answer);
    assert_true(opens(client, &answer, "answer"));
    assert_only_whole(client, &answer);

    put(client, "question", &next); /* the same words, another question */
    assert_false(opens(client, &answer, "answer"));
    assert_true(opens(server, &next, "question"));
    put(server, "answer", &answer);
    assert_true(opens(client, &answer, "answer"));
    seal_destroy(client);
    seal_destroy(server);
}

static void other_secrets_links_and_sides_do_not_open(void **state)
{
    struct seal *asks = seal_create(SECRET, 1, SEAL_ASKS);
    struct seal *others[] = {
        seal_create(SLICE("another secret of thirty-two bytes"), 1, SEAL_ANSWERS),
        seal_create(SECRET, 2, SEAL_ANSWERS),
        seal_create(SECRET, 1, SEAL_ASKS),
        seal_create(SECRET, 1, SEAL_TELLS),
    };
    struct wire wire = {{0}, 0};

    (void)state;
    put(asks, "question", &wire);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(opens(others[i], &wire, "question"));
        assert_int_equal(seal_refused(others[i]), 1);
        seal_destroy(others[i]);
    }
    seal_destroy(asks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(news_open_unless_they_were_touched),
        cmocka_unit_test(an_answer_opens_only_after_its_question),
        cmocka_unit_test(other_secrets_links_and_sides_do_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
