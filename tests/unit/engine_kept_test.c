/* A log that is kept outlives its process, wherever that dies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/engine_house.h"

#include <fcntl.h>

static void write_number(const char *file, int64_t number)
{
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, &number, sizeof number), sizeof number);
    close(fd);
}

/* Nobody is told anything: what was kept is there, and the seqs go on. */
static void a_kept_log_goes_on_after_its_process_died(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 50 300 0 r:1", "kept 1 50 0");
    ask(&house, &house.gateway, "until 50", "seen 50 0 0");
    kill(house.gateway.pid, SIGSTOP);
    ask(&house, &house.publisher, "append 500 300 0 r:2", "kept 51 550 0");
    puppet_kill(&house.publisher);

    start(&house, &house.publisher, ENGINE_LOG);
    kill(house.gateway.pid, SIGCONT);
    ask(&house, &house.publisher, "append 60 300 0 r:1", "kept 551 610 0");
    ask(&house, &house.gateway, "until 610", "seen 610 0 0");
    ask(&house, &house.gateway, "replay r:1 0 610", "replayed OK 110 610");
    ask_until(&house, &house.gateway, "told", "told 0 - 1 1");
    close_both(&house);
}

/* Where the process died decides what the answer can have been, never what is true: all
 * that was appended as one is there, or nothing of it. */
static void a_log_that_dies_in_a_commit_is_whole(void **state)
{
    static const struct {
        const char *hook;
        const char *head;
        const char *kept;
    } cases[] = {
        {"crash-on=commit:3",    "head 2", "kept 3 3 0"},
        {"crash-on=committed:3", "head 5", "kept 6 6 0"},
        {"crash-on=witnessed:3", "head 5", "kept 6 6 0"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const hooks[] = {cases[i].hook, NULL};
        struct house house;
        house_open(&house, state);
        start_with(&house, &house.publisher, ENGINE_LOG, hooks);
        ask(&house, &house.publisher, "append 1 10 0", "kept 1 1 0");
        ask(&house, &house.publisher, "append 1 10 0", "kept 2 2 0");
        assert_false(puppet_ask(&house.publisher, "group 3 10 0", house.line));
        assert_int_equal(puppet_wait(&house.publisher), -1);
        start(&house, &house.publisher, ENGINE_LOG);
        ask(&house, &house.publisher, "head", cases[i].head);
        ask(&house, &house.publisher, "append 1 10 0", cases[i].kept);
        close_one(&house, &house.publisher);
        house_remove(&house);
    }
}

/* The gateway had no answer, and sends again what the publisher before had kept, or not.
 */
static void what_a_gateway_publishes_is_kept_once_whoever_dies(void **state)
{
    static const char *const hooks[] = {"crash-on=commit:2", "crash-on=committed:2",
                                        "crash-on=committed:3", "crash-on=witnessed:4"};
    const char *const *const end = hooks + sizeof hooks / sizeof *hooks;

    for (const char *const *at = hooks; at < end; at++) {
        const char *const hook[] = {*at, NULL};
        struct house house;
        unsigned failed;
        house_open(&house, state);
        start_with(&house, &house.publisher, ENGINE_LOG, hook);
        start(&house, &house.gateway, ENGINE_GATEWAY);
        ask(&house, &house.gateway, "ready 1", "ready");
        assert_true(puppet_tell(&house.gateway, "append 600 300 2"));
        assert_int_equal(puppet_wait(&house.publisher), -1);
        start(&house, &house.publisher, ENGINE_LOG);
        assert_true(puppet_hear(&house.gateway, house.line));
        assert_int_equal(sscanf(house.line, "kept %*u %*u %u", &failed), 1);
        assert_int_equal(failed, 0);
        ask(&house, &house.publisher, "head", "head 600");
        close_both(&house);
    }
}

static void a_session_is_found_after_everything_was_started_anew(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "put s2 p2 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "put s1 p1 u 2 r:2", "done OK");
    puppet_kill(&house.gateway);
    close_one(&house, &house.publisher);

    open_both(&house);
    ask(&house, &house.gateway, "find p1", "found OK s1  1 0");
    ask(&house, &house.gateway, "find p2", "found OK s2  1 0");
    ask(&house, &house.gateway, "put s3 p1 u 2 r:1", "done E_CONFLICT");
    ask(&house, &house.gateway, "put s3 p1 u 1.0 r:1", "done OK");
    ask(&house, &house.gateway, "find p1", "found OK s3 g1 1 0");
    close_both(&house);
}

/* While its disk stands still nobody is heard, and nobody's time runs out. */
static void a_disk_that_stands_still_ends_no_session(void **state)
{
    struct house house;
    char hook[96], file[80];
    const char *const hooks[] = {hook, NULL};

    house_open(&house, state);
    house.config.recovery_ms = 1000;
    house.config.gateway_count = 1;
    snprintf(file, sizeof file, "%s/hold", house.folder);
    snprintf(hook, sizeof hook, "hold-commit=%s", file);
    write_number(file, 0);
    start_with(&house, &house.publisher, ENGINE_LOG, hooks);
    start(&house, &house.gateway, ENGINE_GATEWAY);
    ask(&house, &house.gateway, "ready 1", "ready");
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "park s1 1 0", "done OK");

    write_number(file, 1);
    assert_true(puppet_tell(&house.gateway, "append 1 10 0"));
    usleep(750000);
    usleep(750000);
    ask(&house, &house.publisher, "keeps", "keeps 0");
    write_number(file, 0);
    assert_true(puppet_hear(&house.gateway, house.line));
    assert_string_equal(house.line, "kept 1 1 0");
    ask(&house, &house.gateway, "find p1", "found OK s1  1 0");
    ask_until(&house, &house.publisher, "keeps", "keeps 1");
    close_both(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_kept_log_goes_on_after_its_process_died, nng_log),
        ROW(a_kept_log_goes_on_after_its_process_died, nng_fsync),
        ROW(what_a_gateway_publishes_is_kept_once_whoever_dies, nng_log),
        ROW(a_session_is_found_after_everything_was_started_anew, nng_log),
        ROW(a_log_that_dies_in_a_commit_is_whole, nng_log),
        ROW(a_disk_that_stands_still_ends_no_session, nng_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
