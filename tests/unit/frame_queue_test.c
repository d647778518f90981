/* The ring of frames against a naive model: order, counts, ceilings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/frame_queue.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 20000,
    MAX_FRAMES = 600,
    MAX_BYTES = 6000,
};

struct model {
    struct frame *frames[MAX_FRAMES];
    size_t count, bytes;
};

static void assert_same(const struct frame_queue *queue, const struct model *model)
{
    assert_int_equal(queue->count, model->count);
    assert_int_equal(queue->bytes, model->bytes);
    for (uint32_t i = 0; i < model->count; i++)
        assert_ptr_equal(frame_queue_at(queue, i), model->frames[i]);
}

static void push(struct frame_queue *queue, struct model *model, unsigned payload)
{
    static const struct frame_limits limits = {MAX_BYTES, MAX_FRAMES};
    char bytes[64] = "";
    struct frame *frame = frame_create(WS_OP_TEXT, (struct slice){bytes, payload});
    size_t size = frame_wire(frame).len;
    bool fits = model->count < MAX_FRAMES && model->bytes + size <= MAX_BYTES;

    assert_int_equal(frame_queue_push(queue, &limits, frame), fits ? ST_OK : ST_LIMIT);
    if (fits) {
        model->frames[model->count++] = frame;
        model->bytes += size;
    }
    frame_drop(frame); /* the queue has its own reference */
}

static void shift(struct frame_queue *queue, struct model *model, size_t n)
{
    for (size_t i = 0; i < n && model->frames[i]; i++)
        model->bytes -= frame_wire(model->frames[i]).len;
    model->count -= n;
    memmove(model->frames, model->frames + n, model->count * sizeof *model->frames);
    frame_queue_shift(queue, (uint32_t)n);
}

static void it_behaves_as_a_plain_list_does(void **state)
{
    struct frame_queue queue = {0};
    struct model model = {0};
    unsigned seed = 7;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        /* Long phases of filling and of emptying, so that the ring grows and wraps. */
        bool is_filling = step / 1000 % 2 == 0;
        if (rand_r(&seed) % 10 < (is_filling ? 8 : 3))
            push(&queue, &model, (unsigned)rand_r(&seed) % 24);
        else if (model.count > 0)
            shift(&queue, &model,
                  (size_t)rand_r(&seed) % (model.count < 4 ? model.count + 1 : 4));
        assert_same(&queue, &model);
    }
    frame_queue_finish(&queue);
    assert_int_equal(queue.count, 0);
    assert_int_equal(queue.bytes, 0);
}

static void a_frame_as_large_as_the_ceiling_fits(void **state)
{
    struct frame_queue queue = {0};
    struct frame *frame = frame_create(WS_OP_TEXT, SLICE("12345678"));
    const struct frame_limits exact = {10, 5}, less = {9, 5};

    (void)state;
    assert_int_equal(frame_queue_push(&queue, &less, frame), ST_LIMIT);
    assert_int_equal(queue.count, 0);
    assert_int_equal(frame_queue_push(&queue, &exact, frame), ST_OK);
    assert_int_equal(frame_queue_push(&queue, &exact, frame), ST_LIMIT);
    frame_drop(frame);
    frame_queue_finish(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_behaves_as_a_plain_list_does),
        cmocka_unit_test(a_frame_as_large_as_the_ceiling_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
