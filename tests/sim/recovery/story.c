/* What happens to gateways and guests: see the header. */
#include "sim/recovery/story.h"

#include <string.h>

enum {
    STEPS = 200,
    START_MS = 20000, /* nobody waits for gateways of before */
    REST_ROUNDS = 400,
};

static struct gate *any_gate(struct story *story)
{
    return &story->gates[world_pick(&story->world, STORY_GATES)];
}

static struct guest *any_guest(struct story *story)
{
    return &story->guests[world_pick(&story->world, STORY_GUESTS)];
}

/* --- what may happen --- */

static void publish(struct story *story)
{
    struct world *world = &story->world;
    unsigned rooms = 1u << world_pick(world, HOUSE_ROOMS);

    if (world_chance(world, 20))
        rooms |= 1u << world_pick(world, HOUSE_ROOMS);
    if (world_chance(world, 10))
        rooms |= HOUSE_EVERYBODY;
    if (!house_is_full(&story->house))
        house_publish(&story->house, rooms, world_chance(world, 10));
}

static void publish_many(struct story *story)
{
    for (unsigned n = world_pick(&story->world, 12); n > 0; n--)
        publish(story);
}

static void trim(struct story *story)
{
    house_trim(&story->house);
}

static void apply_some(struct story *story)
{
    struct gate *gate = any_gate(story);

    for (unsigned n = 1 + world_pick(&story->world, 6); n > 0 && gate_apply(gate); n--)
        ;
}

static void talk(struct story *story)
{
    gate_talk(any_gate(story));
}

static void work(struct story *story)
{
    struct gate *gate = any_gate(story);

    for (unsigned i = 0; i < GATE_VISITS; i++)
        if (gate->visits[i].state != VISIT_FREE && world_chance(&story->world, 60))
            gate_work(&gate->visits[i]);
}

static bool carry_down(struct line *line)
{
    struct line_frame frame;

    if (!line->guest || !line_take(&line->down, &frame))
        return false;
    guest_hear(line->guest, &frame);
    return true;
}

/* Also what a guest said that has hung up since. */
static bool carry_up(struct line *line)
{
    struct line_frame frame;

    if (!line->visit || !line_take(&line->up, &frame))
        return false;
    gate_hear(line->visit, &frame);
    return true;
}

static void carry(struct story *story)
{
    for (unsigned i = 0; i < STORY_LINES; i++) {
        struct line *line = &story->lines[i];
        if (!line->guest && !line->visit)
            continue;
        for (unsigned n = world_pick(&story->world, 4); n > 0 && carry_down(line); n--)
            ;
        if (world_chance(&story->world, 50))
            carry_up(line);
    }
}

static struct line *free_line(struct story *story)
{
    for (unsigned i = 0; i < STORY_LINES; i++)
        if (!story->lines[i].guest && !story->lines[i].visit)
            return &story->lines[i];
    return NULL;
}

static void come(struct story *story, struct guest *guest)
{
    struct line *line = free_line(story);

    if (guest->line || !line)
        return;
    *line = (struct line){.guest = guest};
    guest->line = line;
    if (!gate_accept(any_gate(story), line))
        guest_lose(guest);
}

static void guest_comes(struct story *story)
{
    come(story, any_guest(story));
}

static void guest_goes(struct story *story)
{
    struct guest *guest = any_guest(story);

    if (guest->line)
        guest_lose(guest);
}

/* Hangs up, and is back before anybody has noticed. */
static void guest_jumps(struct story *story)
{
    struct guest *guest = any_guest(story);

    if (guest->line)
        guest_lose(guest);
    come(story, guest);
}

/* Left out, here and where it asks: a return that it gave up, or what a gateway has yet
 * to say of it, takes its session over as it was. */
static bool has_another_visit(const struct story *story, const struct guest *guest,
                              enum visit_state but)
{
    for (unsigned i = 0; i < STORY_LINES; i++) {
        const struct visit *visit = story->lines[i].visit;
        if (visit && &story->lines[i] != guest->line && visit->guest == guest &&
            visit->state != but)
            return true;
    }
    return false;
}

static bool is_spoken_of(struct story *story, const struct guest *guest)
{
    const struct visit *visit = guest->line->visit;

    for (unsigned i = 0; i < STORY_GATES; i++)
        if ((!visit || &story->gates[i] != visit->gate) &&
            gate_speaks_of(&story->gates[i], guest->sid))
            return true;
    return false;
}

/* Or begins anew, as to show another token. */
static void guest_ends(struct story *story)
{
    static const struct line_frame bye = {.word = LINE_BYE};
    struct guest *guest = any_guest(story);

    if (!guest->line || !guest->is_greeted)
        return;
    if (has_another_visit(story, guest, VISIT_FREE) || is_spoken_of(story, guest))
        return;
    struct line *line = guest->line;
    line_put(&line->up, &bye);
    guest_lose(guest);
    while (carry_up(line))
        ;
    come(story, guest);
}

static void guest_asks(struct story *story)
{
    struct guest *guest = any_guest(story);

    if (guest->line && guest->is_greeted &&
        !has_another_visit(story, guest, VISIT_OPEN) && !is_spoken_of(story, guest))
        guest_ask(guest, world_pick(&story->world, HOUSE_ROOMS));
}

static void notice(struct story *story)
{
    for (unsigned i = 0; i < STORY_LINES; i++) {
        struct line *line = &story->lines[i];
        if (!world_chance(&story->world, 40))
            continue;
        if (line->visit && !line->guest)
            gate_notice(line->visit);
        else if (line->guest && !line->visit)
            guest_lose(line->guest);
    }
}

static void ping(struct story *story)
{
    for (unsigned i = 0; i < STORY_LINES; i++)
        if (story->lines[i].visit && world_chance(&story->world, 50))
            gate_ping(story->lines[i].visit);
}

static void gate_dies(struct story *story)
{
    if (world_chance(&story->world, 30))
        gate_restart(any_gate(story));
}

static void gate_is_deaf(struct story *story)
{
    struct gate *gate = any_gate(story);

    gate->is_deaf = !gate->is_deaf;
}

static void log_begins_anew(struct story *story)
{
    if (world_chance(&story->world, 20))
        house_begin_anew(&story->house);
}

/* Gateways renew their leases meanwhile, but for one that may be silent. */
static void time_passes(struct story *story)
{
    unsigned silent = world_pick(&story->world, 4 * STORY_GATES);

    story->world.now_ms += world_pick(&story->world, HOUSE_WINDOW_MS);
    for (unsigned i = 0; i < STORY_GATES; i++)
        if (i != silent && story->gates[i].op_count < GATE_OPS / 2) {
            gate_renew(&story->gates[i]);
            gate_talk(&story->gates[i]);
        }
    directory_expire(story->house.directory, story->world.now_ms);
}

static void guest_is_forbidden(struct story *story)
{
    if (world_chance(&story->world, 10))
        any_guest(story)->forbidden ^= 1u << world_pick(&story->world, HOUSE_ROOMS);
}

typedef void act_fn(struct story *story);

/* How often at most, beside the others. */
static const struct {
    act_fn *act;
    unsigned weight;
} acts[] = {
    {publish,            20},
    {publish_many,       4 },
    {trim,               8 },
    {apply_some,         40},
    {talk,               60},
    {work,               40},
    {carry,              40},
    {guest_comes,        30},
    {guest_goes,         5 },
    {guest_jumps,        5 },
    {guest_ends,         6 },
    {guest_asks,         15},
    {notice,             10},
    {ping,               8 },
    {gate_dies,          2 },
    {time_passes,        4 },
    {gate_is_deaf,       2 },
    {log_begins_anew,    2 },
    {guest_is_forbidden, 2 },
};

enum {
    ACTS = sizeof acts / sizeof *acts
};

/* --- the whole of it --- */

static void set_moods(struct story *story, unsigned moods[ACTS])
{
    for (unsigned i = 0; i < ACTS; i++)
        moods[i] = 1 + world_pick(&story->world, 2 * acts[i].weight);
}

static void step(struct story *story, const unsigned moods[ACTS], unsigned total)
{
    unsigned at = world_pick(&story->world, total), i = 0;

    while (at >= moods[i])
        at -= moods[i++];
    story->world.now_ms += world_pick(&story->world, 20);
    acts[i].act(story);
}

/* A round in which everything that can happen by itself does. False: nothing did. */
static bool rest(struct story *story)
{
    bool has_moved = false;

    for (unsigned i = 0; i < STORY_LINES; i++) {
        struct line *line = &story->lines[i];
        if (line->visit && !line->guest)
            gate_notice(line->visit);
        while (carry_down(line) || carry_up(line))
            has_moved = true;
        if (line->guest && !line->visit)
            guest_lose(line->guest);
    }
    for (unsigned i = 0; i < STORY_GATES; i++) {
        struct gate *gate = &story->gates[i];
        while (gate_apply(gate) || gate_talk(gate))
            has_moved = true;
        for (unsigned k = 0; k < GATE_VISITS; k++)
            if (gate->visits[k].state != VISIT_FREE)
                has_moved = gate_work(&gate->visits[k]) || has_moved;
    }
    for (unsigned i = 0; i < STORY_GUESTS; i++)
        if (!story->guests[i].line) {
            come(story, &story->guests[i]);
            has_moved = true;
        }
    return has_moved;
}

static void come_to_rest(struct story *story)
{
    world_trace(&story->world, "everything comes to rest");
    for (unsigned i = 0; i < STORY_GUESTS; i++)
        story->guests[i].forbidden = 0;
    for (unsigned i = 0; i < STORY_GATES; i++)
        story->gates[i].is_deaf = false;
    for (unsigned n = 0; rest(story) && !story->world.has_failed; n++) {
        story->world.now_ms += 20;
        if (n == REST_ROUNDS)
            world_fail(&story->world, "it goes on and on");
    }
}

/* One session for one guest: a ghost would hear everything once more. */
static void check_ghosts(struct story *story)
{
    unsigned count = 0;

    for (unsigned i = 0; i < STORY_GATES; i++)
        for (unsigned k = 0; k < GATE_VISITS; k++)
            count += story->gates[i].visits[k].state != VISIT_FREE;
    if (count != STORY_GUESTS)
        world_fail(&story->world, "%u guests have %u sessions", STORY_GUESTS, count);
}

static void play(struct story *story)
{
    struct world *world = &story->world;
    unsigned moods[ACTS], total = 0;

    set_moods(story, moods);
    for (unsigned i = 0; i < ACTS; i++)
        total += moods[i];
    for (unsigned n = 0; n < STEPS && !world->has_failed; n++)
        step(story, moods, total);
    if (!world->has_failed)
        come_to_rest(story);
    for (unsigned i = 0; i < STORY_GUESTS && !world->has_failed; i++)
        guest_check_all(&story->guests[i]);
    if (!world->has_failed)
        check_ghosts(story);
}

bool story_play(struct story *story, uint64_t seed, enum gate_fault fault,
                bool is_tracing, struct guest_tally *tally)
{
    static const char *const users[STORY_GUESTS] = {"ada", "bob", "cy"};
    static const char *const ids[STORY_GATES] = {"g1", "g2", "g3"};
    struct world *world = &story->world;

    world_init(world, seed, is_tracing);
    world->now_ms = START_MS;
    house_init(&story->house, world);
    for (unsigned i = 0; i < STORY_GATES; i++)
        gate_init(&story->gates[i], world, &story->house, ids[i], fault,
                  (i + 1) * UINT64_C(1000000));
    for (unsigned i = 0; i < STORY_GUESTS; i++)
        guest_init(&story->guests[i], world, &story->house, users[i], tally);
    memset(story->lines, 0, sizeof story->lines);
    play(story);
    for (unsigned i = 0; i < STORY_GATES; i++)
        gate_finish(&story->gates[i]);
    house_finish(&story->house);
    return !world->has_failed;
}

void story_finish(struct story *story)
{
    for (unsigned i = 0; i < STORY_GATES; i++)
        gate_release(&story->gates[i]);
}
