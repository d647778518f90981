// Scenario "away": clients lose their connection and come back, some after more than the log keeps,
// some at once, while their old connection still seems to be alive. Whoever is told that it recovered
// has missed nothing, and no ghost is left.
import { bound, sleep, until } from '../../flow/lib/wait.mjs';
import { gather_members, settled } from './members.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = {
  seed: 1, rounds: 5, members: 12, rooms: 4, lanes: 4, pause_ms: 10, keep_events: 400, away_ms: 2500, ghosts: 40, renewed: 50,
  sabotage: [],
};
// A ghost that is not evicted outlives the look for it.
const times = ['gateway.ping_interval=10s', 'gateway.ping_timeout=10s'];
const ghost_ms = 300; // away while the old connection seems alive
const back_ms = 30_000;
const evicted_ms = 1200; // the gateways report once a second

async function look_for_ghosts({ house, members }, fault) {
  let count = 0;
  const is_one_each = async () => {
    const { json } = await house.api.request(`${house.api.ops}/v1/stats`);
    count = json.connections;
    return json.complete && count === members.length;
  };
  await until(is_one_each, bound(evicted_ms)).catch(() => fault(`${count} connections of ${members.length} clients`));
}

// Every other one vanishes. In a round of ghosts the house hears nothing of it; in others the gateways,
// who remember more than the log keeps, are new when they come back.
async function round(stage, random) {
  const { house, members, plan } = stage;
  const leaving = members.filter(() => random(2) === 0);
  const has_ghosts = random(100) < plan.ghosts;
  if (has_ghosts)
    house.proxy.hold_all();
  const is_renewed = !has_ghosts && random(100) < plan.renewed;
  leaving.forEach((member) => member.vanish(30 + random(has_ghosts ? ghost_ms : plan.away_ms)));
  if (is_renewed)
    for (let i = 1; i <= house.gateway_count; i++)
      house.signal(`g${i}`, 'SIGKILL');
  await sleep(has_ghosts ? 2 * ghost_ms : plan.away_ms);
  await settled(members, back_ms);
  if (has_ghosts) {
    await look_for_ghosts(stage, (text) => stage.fault(text));
    house.proxy.release_all();
  }
  const { connects, recovered } = stage.returns();
  stage.tell(`${leaving.length} vanished${has_ghosts ? ' unheard' : is_renewed ? ', new gateways' : ''}; so far ${connects} came, ${recovered} recovered`);
}

export function absences(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const house = { gateways: 2, set: [...times, `log.keep.events=${plan.keep_events}`] };
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
