// Scenario "mixed": members come and go, publishers publish, and faults befall the house at random,
// whose log is synced with every other seed.
import { sleep } from '../../flow/lib/wait.mjs';
import { draw, faults } from './faults.mjs';
import { churn, gather_members } from './members.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

export const full = {
  seed: 1, faults: 30, members: 16, rooms: 8, lanes: 4, pause_ms: 60, gap_ms: 1500, sabotage: [], hooks: [], only: null,
};
// Short beside what a gateway may be stopped for, so that the dead are noticed.
export const quick_times = ['gateway.ping_interval=2s', 'gateway.ping_timeout=3s'];

function possible_faults(stage) {
  const { only } = stage.plan;
  return (only ? faults.filter(({ name }) => only.includes(name)) : faults).filter(({ name, why_not }) => {
    const reason = why_not?.(stage.house);
    if (reason)
      stage.say(`not here: ${name}, it ${reason}`);
    return !reason;
  });
}

// One fault after the other, or over the other; those that want to be alone are.
async function befall(stage) {
  const { house, plan } = stage;
  const random = stage.chance(0);
  let open = [];
  for (const { name, alone, run } of draw(random, plan.faults, possible_faults(stage))) {
    await sleep(random(2 * plan.gap_ms));
    if (alone || random(3) === 0) {
      await Promise.all(open);
      open = [];
    }
    const done = Promise.resolve(run(house, random)).then((text) => stage.tell(text));
    done.catch(() => {}); // told below
    open.push(done);
    stage.figures[name] = (stage.figures[name] ?? 0) + 1;
    if (alone)
      await done;
  }
  await Promise.all(open);
}

// Gives {history, verdict, figures}. `say` hears what happens.
export function mixed(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const durability = plan.seed % 2 ? 'log' : 'fsync';
  const setting = { set: quick_times, hooks: plan.hooks, durability };
  return on_stage({ plan, world, say, house: setting }, async (stage) => {
    const { house, history } = stage;
    const is_over = () => stage.is_over;
    stage.members = await gather_members(house, history, { count: plan.members, rooms: plan.rooms });
    const moving = churn(stage.members, stage.chance(1), { rooms: plan.rooms, every_ms: 400, is_over });
    const publishing = publish_lanes(house, history, stage.chance(2), { ...plan, is_over });
    publishing.catch(() => {}); // told below
    await befall(stage);
    stage.is_over = true;
    await Promise.all([moving, publishing]);
    stage.tell('no more faults');
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
    stage.tell('all is said');
  });
}
