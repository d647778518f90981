/* The inbox keeps order and loses nothing, from one thread or from many. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/inbox.h"

#include <stdlib.h>

enum {
    THREADS = 4,
    PER_THREAD = 5000
};

struct seen {
    unsigned ran;
    unsigned dropped;
    unsigned next[THREADS]; /* the number each thread's next item must have */
    bool in_order;
};

struct note {
    struct inbox_item item;
    struct seen *seen;
    unsigned thread;
    unsigned number;
};

static void note_run(struct inbox_item *item)
{
    struct note *note = (struct note *)item;
    struct seen *seen = note->seen;

    seen->ran++;
    if (seen->next[note->thread] != note->number)
        seen->in_order = false;
    seen->next[note->thread] = note->number + 1;
    free(note);
}

static void note_drop(struct inbox_item *item)
{
    struct note *note = (struct note *)item;

    note->seen->dropped++;
    free(note);
}

static struct inbox_item *note_new(struct seen *seen, unsigned thread, unsigned number)
{
    struct note *note = calloc(1, sizeof *note);

    if (!note)
        abort();
    note->item =
        (struct inbox_item){.run = note_run, .drop = note_drop, .size_bytes = 100};
    note->seen = seen;
    note->thread = thread;
    note->number = number;
    return &note->item;
}

struct fixture {
    uv_loop_t loop;
    struct seen seen;
    struct inbox *inbox;
};

static void begin(struct fixture *f, size_t max_bytes, unsigned max_per_turn)
{
    *f = (struct fixture){.seen = {.in_order = true}};
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->inbox = inbox_create(&f->loop, max_bytes, max_per_turn);
    assert_non_null(f->inbox);
}

static void end(struct fixture *f)
{
    inbox_destroy(f->inbox);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void items_run_in_the_order_they_were_put(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1000, 100);
    for (unsigned i = 0; i < 10; i++)
        inbox_put(f.inbox, note_new(&f.seen, 0, i));
    uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(f.seen.ran, 10);
    assert_true(f.seen.in_order);
    end(&f);
}

static void one_turn_runs_no_more_than_its_bound(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 100000, 4);
    for (unsigned i = 0; i < 10; i++)
        inbox_put(f.inbox, note_new(&f.seen, 0, i));
    uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(f.seen.ran, 4);
    for (int turn = 0; turn < 10 && f.seen.ran < 10; turn++)
        uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(f.seen.ran, 10);
    end(&f);
}

static void an_offer_above_the_ceiling_stays_with_the_caller(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 250, 100);
    assert_int_equal(inbox_offer(f.inbox, note_new(&f.seen, 0, 0)), ST_OK);
    assert_int_equal(inbox_offer(f.inbox, note_new(&f.seen, 0, 1)), ST_OK);

    struct inbox_item *refused = note_new(&f.seen, 0, 2);
    assert_int_equal(inbox_offer(f.inbox, refused), ST_BUSY);
    uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(inbox_offer(f.inbox, refused), ST_OK);
    uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(f.seen.ran, 3);
    end(&f);
}

static void a_put_is_never_refused(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1, 100);
    for (unsigned i = 0; i < 5; i++)
        inbox_put(f.inbox, note_new(&f.seen, 0, i));
    uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(f.seen.ran, 5);
    end(&f);
}

static void what_waits_is_dropped_with_the_inbox(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1000, 2);
    for (unsigned i = 0; i < 5; i++)
        inbox_put(f.inbox, note_new(&f.seen, 0, i));
    uv_run(&f.loop, UV_RUN_NOWAIT);
    end(&f);
    assert_int_equal(f.seen.ran, 2);
    assert_int_equal(f.seen.dropped, 3);
}

struct bomb {
    struct inbox_item item;
    struct inbox *inbox;
};

static void bomb_run(struct inbox_item *item)
{
    struct bomb *bomb = (struct bomb *)item;

    inbox_destroy(bomb->inbox);
    free(bomb);
}

static void bomb_drop(struct inbox_item *item)
{
    free(item);
}

static void an_item_may_destroy_the_inbox_it_came_from(void **state)
{
    struct fixture f;
    struct bomb *bomb = calloc(1, sizeof *bomb);

    (void)state;
    begin(&f, 1000, 2);
    assert_non_null(bomb);
    bomb->item = (struct inbox_item){.run = bomb_run, .drop = bomb_drop};
    bomb->inbox = f.inbox;
    inbox_put(f.inbox, &bomb->item);
    inbox_put(f.inbox, note_new(&f.seen, 0, 0));
    f.inbox = NULL;
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.seen.dropped, 1);
    end(&f);
}

struct putter {
    struct fixture *f;
    unsigned thread;
};

static void put_many(void *arg)
{
    struct putter *putter = arg;
    struct fixture *f = putter->f;

    for (unsigned i = 0; i < PER_THREAD; i++) {
        struct inbox_item *item = note_new(&f->seen, putter->thread, i);
        if (i % 2) {
            inbox_put(f->inbox, item);
            continue;
        }
        while (inbox_offer(f->inbox, item) == ST_BUSY)
            uv_sleep(1);
    }
}

static void threads_lose_nothing_and_keep_their_order(void **state)
{
    struct fixture f;
    uv_thread_t threads[THREADS];
    struct putter putters[THREADS];

    (void)state;
    begin(&f, 10000, 16);
    for (unsigned i = 0; i < THREADS; i++) {
        putters[i] = (struct putter){&f, i};
        assert_int_equal(uv_thread_create(&threads[i], put_many, &putters[i]), 0);
    }
    while (f.seen.ran < THREADS * PER_THREAD)
        uv_run(&f.loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    assert_int_equal(f.seen.ran, THREADS * PER_THREAD);
    assert_true(f.seen.in_order);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_run_in_the_order_they_were_put),
        cmocka_unit_test(one_turn_runs_no_more_than_its_bound),
        cmocka_unit_test(an_offer_above_the_ceiling_stays_with_the_caller),
        cmocka_unit_test(a_put_is_never_refused),
        cmocka_unit_test(what_waits_is_dropped_with_the_inbox),
        cmocka_unit_test(an_item_may_destroy_the_inbox_it_came_from),
        cmocka_unit_test(threads_lose_nothing_and_keep_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
