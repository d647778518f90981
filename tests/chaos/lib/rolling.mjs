// Scenario "rolling": every child is started anew, one by one, again and again (SIGUSR2), while 200
// events a second are published. Each publish succeeds with one retry under its id at most, and
// every client recovers.
import { sleep, until } from '../../flow/lib/wait.mjs';
import { gather_members, settled } from './members.mjs';
import { body_of } from './publishers.mjs';
import { on_stage } from './stage.mjs';

// `lanes`: instead of a rate, so many publishes are always on their way.
const full = { seed: 1, rolls: 3, members: 16, rooms: 5, rate: 200, lanes: 0, window: '500ms', sabotage: [] };
const times = ['gateway.ping_interval=2s', 'gateway.ping_timeout=2s'];
const roll_ms = 60_000;
const back_ms = 30_000;
const patience_ms = 15_000;
const words = 'every child was started anew';

const rolls_of = (house) => house.process.log.split(words).length - 1;

// As a caller does that tries once more, and no third time.
async function publish_twice(house, history, room, id) {
  const body = body_of(room, id);
  let answer = null, tries = 0;
  history.add('publisher', 'publish', { phase: 'invoke', room, id });
  while (tries < 2 && answer?.status !== 202) {
    if (tries++)
      await sleep(20);
    answer = await house.publish(body).catch((error) => ({ text: error.message }));
  }
  const phase = answer.status === 202 ? 'ok' : 'unknown';
  history.add('publisher', 'publish', {
    phase, room, id, tries, ...(phase === 'ok' && { position: answer.json.position }), status: answer.status, text: answer.text?.slice(0, 80),
  });
  return { tries, phase };
}

async function publish_all(stage, { rate, lanes, rooms }) {
  const { house, history, figures } = stage;
  const random = stage.chance(2);
  const began = performance.now();
  const all = [];
  let n = 0;
  const publish_next = async () => all.push(await publish_twice(house, history, `r:${random(rooms)}`, `p${n++}`));
  const lane = async () => {
    while (!stage.is_over)
      await publish_next();
  };
  const open = Array.from({ length: lanes }, lane);
  for (; !stage.is_over; await sleep(4))
    for (const due = ((performance.now() - began) * rate) / 1000; lanes === 0 && n < due;)
      open.push(publish_next());
  await Promise.all(open);
  Object.assign(figures, {
    published: n, retried: all.filter(({ tries }) => tries > 1).length, failed: all.filter(({ phase }) => phase !== 'ok').length,
  });
}

export function rolling(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const set = [...times, `drain.window=${plan.window}`];
  return on_stage({ plan, world, say, house: { gateways: 2, set } }, async (stage) => {
    const { house, history, figures } = stage;
    stage.members = await gather_members(house, history, { count: plan.members, rooms: plan.rooms });
    const publishing = publish_all(stage, plan);
    publishing.catch(() => {}); // told below
    figures.roll_max = 0;
    for (let i = 0; i < plan.rolls; i++) {
      const began = performance.now(), before = stage.returns(), done = rolls_of(house);
      house.process.signal('SIGUSR2');
      await until(() => rolls_of(house) > done, roll_ms, () => `no end of roll ${i}\n${house.log()}`);
      figures.roll_max = Math.max(figures.roll_max, performance.now() - began);
      await settled(stage.members, back_ms);
      const { connects, recovered } = stage.returns();
      stage.tell(`rolled, ${connects - before.connects} returned, ${recovered - before.recovered} recovered`);
    }
    stage.is_over = true;
    await Promise.race([publishing, sleep(patience_ms).then(() => { throw new Error('publishes hang'); })]);
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
    const { connects, recovered } = stage.returns();
    figures.not_recovered = connects - plan.members - recovered;
    figures.untold_percent = stage.untold_percent();
  });
}
