/* Who is there and what was told of it: stories by table, and a random one against a
 * rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "publisher-api/presence_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_MS = 1000,
    RETURN_MS = 5000,
    WALL = 1000000, /* the wall clock is so far ahead */
};

struct story {
    struct presence_table *table;
    uint64_t now_ms;
    bool fails; /* the log keeps nothing */
    char told[1000];
};

static void on_forget(void *ctx, struct slice name)
{
    struct story *story = ctx;
    struct slice nsp, user;

    assert_true(presence_note_parts(name, &nsp, &user));
    sprintf(story->told + strlen(story->told), "x%.*s ", (int)user.len, user.ptr);
}

static void tell_all(struct story *story)
{
    struct presence_news news;

    while (presence_table_next(story->table, story->now_ms, &news)) {
        if (!story->fails)
            sprintf(story->told + strlen(story->told), "%s%c%.*s@%llu ",
                    news.is_silent ? "(" : "", news.is_online ? '+' : '-',
                    (int)news.user.len, news.user.ptr,
                    (unsigned long long)(news.last_seen_ms % WALL));
        presence_table_told(story->table, news.who, !story->fails, story->now_ms);
    }
}

static void restore(struct story *story, const char *user, bool is_online)
{
    const struct presence_note note = {is_online, WALL + 1};
    char name[PRESENCE_NOTE_NAME_BYTES];

    presence_table_restore(story->table,
                           presence_note_name(name, SLICE("/"), slice_of(user)), &note);
}

/*
 * A word each: +a comes, -a goes; a number: so much later; [ and ] rebuilding begins and
 * ends; ! and . the log fails and works; <a was online before this start, >a was not; =
 * these were all, true at 7; ~ a reload makes the grace a tenth.
 */
static void play(struct story *story, const char *word)
{
    static const struct presence_limits shorter = {GRACE_MS / 10, RETURN_MS / 10, 9};

    switch (word[0]) {
    case '+':
    case '-':
        presence_table_user(story->table, SLICE("/"), slice_of(word + 1), word[0] == '+',
                            story->now_ms, WALL + (int64_t)story->now_ms);
        break;
    case '[':
    case ']': presence_table_rebuild(story->table, word[0] == '[', story->now_ms); break;
    case '!':
    case '.': story->fails = word[0] == '!'; break;
    case '<':
    case '>': restore(story, word + 1, word[0] == '<'); break;
    case '=': presence_table_restored(story->table, WALL + 7); break;
    case '~': presence_table_limit(story->table, &shorter, story->now_ms); break;
    default: story->now_ms += (uint64_t)atoi(word);
    }
}

/* A comma between what happens in one turn of the loop; a blank: it ends. */
static void play_all(struct story *story, const char *text)
{
    char words[400];
    char *save;

    snprintf(words, sizeof words, "%s", text);
    for (char *turn = strtok_r(words, " ", &save); turn;
         turn = strtok_r(NULL, " ", &save)) {
        char *inner;
        for (char *word = strtok_r(turn, ",", &inner); word;
             word = strtok_r(NULL, ",", &inner))
            play(story, word);
        tell_all(story);
    }
}

/* Keeps the story. */
static void begin(struct story *story, size_t max_away)
{
    const struct presence_limits limits = {GRACE_MS, RETURN_MS, max_away};
    const struct hash_key key = {0};

    *story = (struct story){.now_ms = 10};
    story->table = presence_table_create(&limits, &key, on_forget, story);
    assert_non_null(story->table);
}

static void what_is_told_follows_from_what_happens(void **state)
{
    static const struct {
        size_t max_away;
        const char *happens, *told;
    } rows[] = {
  /* come and go */
        {9, "] +a",                             "+a@0 "                               },
        {9, "] +a 5 -a 999",                    "+a@0 "                               },
        {9, "] +a 5 -a 1000",                   "+a@0 -a@15 "                         },
        {9, "] +a 5 -a 1000 1 +a 9 -a 1000",    "+a@0 -a@15 +a@15 -a@1025 "           },
        {9, "] +a +b -a -b 1000",               "+a@0 +b@0 -a@10 -b@10 "              },
 /* what lasts less than the grace is not told */
        {9, "] +a -a 900 +a 5000",              "+a@0 "                               },
        {9, "] +a -a 900 +a -a 900 +a -a 1000", "+a@0 -a@1810 "                       },
        {9, "] +a,-a 5000",                     ""                                    },
        {9, "] +a -a,+a 5000",                  "+a@0 "                               },
        {9, "] +a,+a -a,-a 1000",               "+a@0 -a@10 "                         },
 /* nothing is news while the directory is rebuilt */
        {9, "] +a [ -a 5000 +b ] 1",            "+a@0 -a@10 +b@0 "                    },
        {9, "] +a [ -a 5000 +a ] 5000",         "+a@0 "                               },
 /* nobody knows what was before: who is there is taken down in silence */
        {9, "+a +b 5 ] +c",                     "(+a@0 (+b@0 +c@0 "                   },
        {9, "+a 5 -a 5 +b ] -b 1000",           "(+b@0 -b@20 "                        },
        {9, "= +a ]",                           "+a@0 "                               },
 /* a start goes on where the one before ended */
        {9, "<a <b >c = +a ] 4999",             ""                                    },
        {9, "<a <b >c = +a ] 5000",             "-b@7 "                               },
        {9, "<a = ] 4000 +a 5000",              ""                                    },
        {9, "<a = ] 4000 +a -a 1000",           "-a@4010 "                            },
        {9, ">c = +c ]",                        "+c@1 "                               },
        {9, "<a = [ 60000 +a ] 60000",          ""                                    },
        {9, "<a = ] 10 +b -b 1000 4000",        "+b@0 -b@20 -a@7 "                    },
 /* what the log did not keep comes again, as things are by then */
        {9, "] ! +a 100 . 400",                 "+a@0 "                               },
        {9, "] ! +a 100 . 300",                 ""                                    },
        {9, "] ! +a 100 -a . 5000",             ""                                    },
        {9, "] +a ! -a 1000 . 500",             "+a@0 -a@10 "                         },
        {9, "] +a ! -a 1000 +a . 5000",         "+a@0 "                               },
 /* nobody waits longer than a new grace, or behind who waits for an older one */
        {9, "] +a +b -a 10 ~ 10 -b 99",         "+a@0 +b@0 -a@10 "                    },
        {9, "] +a +b -a 10 ~ 10 -b 100",        "+a@0 +b@0 -a@10 -b@30 "              },
        {9, "] +a -a 10 ~ 99",                  "+a@0 "                               },
        {9, "] +a -a 10 ~ 100",                 "+a@0 -a@10 "                         },
        {9, "] +a -a 950 ~ 50",                 "+a@0 -a@10 "                         },
        {9, "<a = ] 10 ~ 499",                  ""                                    },
        {9, "<a = ] 10 ~ 500",                  "-a@7 "                               },
        {9, "<a = ~ ] 499",                     ""                                    },
        {9, "<a = ~ ] 500",                     "-a@7 "                               },
 /* nor behind what comes again */
        {9, "] +a ~ +b -a ! 100 . -b 100",      "+a@0 +b@0 -b@110 "                   },
        {9, "] ! +a . +b",                      "+b@0 "                               },
 /* those that are away are known as long as there is room: the oldest goes */
        {2, "] +a +b +c -a 1 -b 1 -c 2000 9",   "+a@0 +b@0 +c@0 -a@10 -b@11 -c@12 xa "},
        {0, "] +a -a 1000",                     "+a@0 -a@10 xa "                      },
        {0, "] +a,-a 5",                        "xa "                                 },
        {1, ">a >b = +a ]",                     "xa +a@0 "                            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story story;
        begin(&story, rows[i].max_away);
        play_all(&story, rows[i].happens);
        if (strcmp(story.told, rows[i].told) != 0)
            fail_msg("%s\n  told %s\nwanted %s", rows[i].happens, story.told,
                     rows[i].told);
        presence_table_destroy(story.table);
    }
}

static void it_says_when_somebody_was_last_here(void **state)
{
    static const struct {
        const char *happens, *user;
        int64_t seen_ms;
    } rows[] = {
        {"] +a 5",              "a", WALL + 77},
        {"] +a 5 -a 3",         "a", WALL + 15},
        {"] +a 5 -a 3000 9",    "a", WALL + 15},
        {"] +a 5 -a 3000 9",    "b", 0        },
        {"<a >b = ]",           "a", WALL + 7 },
        {"<a >b = ]",           "b", WALL + 1 },
        {"<a >b = ] +b,-b 100", "b", WALL + 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story story;
        begin(&story, 9);
        play_all(&story, rows[i].happens);
        int64_t seen_ms = presence_table_last_seen(story.table, SLICE("/"),
                                                   slice_of(rows[i].user), WALL + 77);
        if (seen_ms != rows[i].seen_ms)
            fail_msg("%s: %s at %lld", rows[i].happens, rows[i].user, (long long)seen_ms);
        assert_int_equal(presence_table_last_seen(story.table, SLICE("/other"),
                                                  slice_of(rows[i].user), WALL + 77),
                         0);
        presence_table_destroy(story.table);
    }
}

/* Whatever happens: what is told of a user alternates, and ends at the truth. */
static void what_is_told_alternates_and_ends_at_the_truth(void **state)
{
    enum {
        USERS = 5,
        STEPS = 4000,
    };
    static const char *const names[USERS] = {"a", "b", "c", "d", "e"};
    bool is_here[USERS] = {0}, is_told[USERS] = {0};
    struct story story;

    (void)state;
    begin(&story, 3);
    presence_table_rebuild(story.table, false, 0);
    srand(7);
    for (int step = 0; step < STEPS; step++) {
        int who = rand() % USERS, what = rand() % 8;
        bool is_last = step == STEPS - 1;
        struct presence_news news;

        if (what < 4) {
            is_here[who] = !is_here[who];
            play(&story, is_here[who] ? (char[]){'+', names[who][0], 0}
                                      : (char[]){'-', names[who][0], 0});
        }
        presence_table_rebuild(story.table, what == 4 && !is_last, story.now_ms);
        story.now_ms += is_last ? 10 * GRACE_MS : (uint64_t)(rand() % 600);
        while (presence_table_next(story.table, story.now_ms, &news)) {
            bool is_kept = rand() % 4 != 0 || is_last;
            int told = news.user.ptr[0] - 'a';
            assert_true(news.is_online == !is_told[told]);
            if (is_kept)
                is_told[told] = news.is_online;
            presence_table_told(story.table, news.who, is_kept, story.now_ms);
        }
        story.told[0] = '\0';
    }
    assert_memory_equal(is_told, is_here, sizeof is_here);
    assert_true(presence_table_count(story.table) - presence_table_here(story.table) <=
                3);
    presence_table_destroy(story.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_follows_from_what_happens),
        cmocka_unit_test(it_says_when_somebody_was_last_here),
        cmocka_unit_test(what_is_told_alternates_and_ends_at_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
