// Scenario "away": clients lose their connection and come back, some after more than the log keeps,
// some at once, while their old connection still seems to be alive. Whoever is told that it recovered
// has missed nothing.
import { sleep } from '../../flow/lib/wait.mjs';
import { gather_members, settled } from './members.mjs';
import { quick_times } from './mixed.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, rounds: 5, members: 12, rooms: 4, lanes: 4, pause_ms: 10, keep_events: 150, away_ms: 2500, ghosts: 30, sabotage: [] };
const back_ms = 30_000;

// Every other one vanishes; of some the house does not hear for longer than they are away.
async function round(stage, random) {
  const { house, members, plan } = stage;
  const leaving = members.filter(() => random(2) === 0);
  const has_ghosts = random(100) < plan.ghosts;
  if (has_ghosts)
    house.proxy.hold_all(plan.away_ms);
  leaving.forEach((member) => member.vanish(30 + random(has_ghosts ? 300 : plan.away_ms)));
  await sleep(plan.away_ms);
  await settled(members, back_ms);
  const { connects, recovered } = stage.returns();
  stage.tell(`${leaving.length} vanished${has_ghosts ? ' unheard' : ''}; so far ${connects} came, ${recovered} recovered`);
}

export function absences(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const house = { gateways: 2, set: [...quick_times, `log.keep.events=${plan.keep_events}`] };
  return on_stage({ plan, world, say, house }, async (stage) => {
    stage.members = await gather_members(stage.house, stage.history, { count: plan.members, rooms: plan.rooms, per_member: 2 });
    const publishing = publish_lanes(stage.house, stage.history, stage.chance(2), { ...plan, is_over: () => stage.is_over });
    publishing.catch(() => {}); // told below
    const random = stage.chance(0);
    for (let i = 0; i < plan.rounds; i++)
      await round(stage, random);
    stage.is_over = true;
    await publishing;
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
  });
}
