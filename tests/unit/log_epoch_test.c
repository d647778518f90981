/* When the log may go on in its epoch, by table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/log_epoch.h"

static const unsigned char this_boot[LOG_BOOT_ID_BYTES] = {1};

static void the_epoch_goes_on_only_where_nobody_can_have_seen_more(void **state)
{
    static const struct {
        struct log_testimony testimony;
        struct log_findings findings;
        enum log_verdict verdict;
    } cases[] = {
  /* epoch, head, is_clean, is_synced, boot, denied | epoch, head, is_damaged */
        {{7, 10, true, false, {1}, 0},  {7, 10, false}, LOG_GOES_ON       },
        {{7, 10, true, false, {2}, 0},  {7, 10, false}, LOG_GOES_ON       },
        {{7, 10, false, false, {1}, 0}, {7, 10, false}, LOG_GOES_ON       },
        {{7, 10, false, false, {1}, 0},
         {7, 12, false},
         LOG_GOES_ON                                                      }, /* died in between */
        {{7, 0, false, false, {1}, 0},  {7, 0, false},  LOG_GOES_ON       },
        {{7, 10, false, false, {2}, 0}, {7, 10, false}, LOG_MACHINE_FAILED},
        {{7, 10, false, false, {2}, 0}, {7, 99, false}, LOG_MACHINE_FAILED},
        {{7, 10, false, true, {2}, 0},  {7, 10, false}, LOG_GOES_ON       },
        {{7, 0, false, true, {2}, 0},   {7, 10, false}, LOG_GOES_ON       },
        {{7, 10, false, true, {2}, 0},  {7, 9, false},  LOG_LACKS_EVENTS  },
        {{7, 10, false, true, {2}, 7},  {7, 10, false}, LOG_IS_DAMAGED    },
        {{7, 10, false, true, {2}, 0},  {7, 10, true},  LOG_IS_DAMAGED    },
        {{6, 10, false, true, {2}, 0},  {7, 10, false}, LOG_HAS_NO_WITNESS},
        {{7, 10, false, false, {1}, 0}, {7, 9, false},  LOG_LACKS_EVENTS  },
        {{7, 10, true, false, {1}, 0},  {7, 9, false},  LOG_LACKS_EVENTS  },
        {{8, 10, true, false, {1}, 0},  {7, 10, false}, LOG_HAS_NO_WITNESS},
        {{0, 0, false, false, {0}, 0},  {7, 10, false}, LOG_HAS_NO_WITNESS},
        {{0, 0, false, false, {0}, 7},  {7, 10, false}, LOG_IS_DAMAGED    },
        {{0, 0, false, false, {0}, 8},  {7, 10, false}, LOG_HAS_NO_WITNESS},
        {{7, 10, true, false, {1}, 6},  {7, 10, false}, LOG_GOES_ON       },
        {{7, 10, true, false, {1}, 0},  {7, 10, true},  LOG_IS_DAMAGED    },
        {{0, 0, false, false, {0}, 0},  {0, 0, true},   LOG_IS_DAMAGED    },
        {{0, 0, false, false, {0}, 0},  {0, 0, false},  LOG_IS_NEW        },
        {{7, 10, true, false, {1}, 0},  {0, 0, false},  LOG_IS_NEW        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            log_epoch_judge(&cases[i].testimony, &cases[i].findings, this_boot),
            cases[i].verdict);
}

static void every_verdict_has_a_sentence(void **state)
{
    (void)state;
    for (int verdict = 0; verdict < LOG_VERDICTS; verdict++)
        assert_true(log_verdict_text((enum log_verdict)verdict)[0] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epoch_goes_on_only_where_nobody_can_have_seen_more),
        cmocka_unit_test(every_verdict_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
