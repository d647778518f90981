// Scenario "publisher": it dies again and again, at chosen points of a commit and at any, while
// publishers repeat what they have no answer to under its id.
import { sleep, until } from '../../flow/lib/wait.mjs';
import { gather_members } from './members.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, deaths: 10, members: 8, rooms: 4, lanes: 8, pause_ms: 4, by_itself: false, sabotage: [] };
const points = ['committed', 'witnessed', 'commit'];
const down_ms = 30_000;

// Gives how long nobody answered, in ms.
async function die(stage, random) {
  const { house, plan } = stage;
  const before = house.roles().publisher;
  if (plan.by_itself)
    await until(() => house.roles().publisher !== before, down_ms);
  else
    await sleep(random(600)); // often enough it dies by itself, in a commit
  const is_by_hand = house.roles().publisher === before && house.signal('publisher', 'SIGKILL') > 0;
  const from = performance.now();
  await until(async () => (await house.api.request(`${house.api.publisher}/readyz`).catch(() => null))?.status === 200 &&
    house.roles().publisher !== before, down_ms, () => `the publisher is not back\n${house.log()}`);
  const ms = performance.now() - from;
  stage.tell(`publisher ${is_by_hand ? 'killed' : 'died in a commit'}, down for ${Math.round(ms)} ms`);
  return is_by_hand ? ms : null;
}

export function publisher_deaths(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const crash = `crash-on=${points[(plan.seed - 1) % points.length]}:${20 + (plan.seed * 7) % 40}`;
  return on_stage({ plan, world, say, house: { gateways: 2, hooks: [crash] } }, async (stage) => {
    const { house, history } = stage;
    const random = stage.chance(0);
    stage.members = await gather_members(house, history, { count: plan.members, rooms: plan.rooms });
    const publishing = publish_lanes(house, history, stage.chance(2), { ...plan, is_over: () => stage.is_over });
    publishing.catch(() => {}); // told below
    const down = [];
    for (let i = 0; i < plan.deaths; i++)
      down.push(await die(stage, random));
    stage.is_over = true;
    await publishing;
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
    const published = history.records.filter(({ op, phase }) => op === 'publish' && phase !== 'invoke');
    Object.assign(stage.figures, {
      deaths: plan.deaths, down_max: Math.max(0, ...down.filter((ms) => ms !== null)),
      repeated: published.filter(({ tries }) => tries > 1).length,
    });
  });
}
