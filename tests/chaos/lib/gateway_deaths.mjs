// Scenario "gateway": one of two is killed, and its clients, official ones as they come out of the
// box, return to the other. How long until each has all that it missed?
import { sleep, until } from '../../flow/lib/wait.mjs';
import { now_ns } from './crowd.mjs';
import { gather_members, official } from './members.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, deaths: 3, members: 20, rooms: 5, lanes: 4, pause_ms: 20, sabotage: [] };
const out_of_the_box = { reconnectionDelay: 1000, reconnectionDelayMax: 5000, timeout: 20_000 };
const kinds = ['polling', 'websocket'].map((transport) => official(transport, out_of_the_box));
const back_ms = 30_000;

export const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
};

// For each client that was interrupted after `from`: ms until it was back and had all that was
// acknowledged before it came.
export function completions(records, from) {
  const events = new Map(), clients = new Map();
  for (const { at, who, op, phase, id, room } of records) {
    const client = clients.get(who) ?? clients.set(who, { rooms: new Set(), got: new Map() }).get(who);
    if (op === 'publish')
      events.set(id, { ...events.get(id), room, [phase]: at });
    else if (op === 'join' && phase === 'ok')
      client.rooms.add(room);
    else if (op === 'recv')
      client.got.set(id, at);
    else if (op === 'disconnect' && at >= from)
      client.gone ??= at;
    else if (op === 'connect' && client.gone)
      client.back ??= at;
  }
  return [...clients.values()].filter(({ back }) => back).map(({ rooms, got, gone, back }) => {
    const missed = [...events].filter(([id, { room, invoke, ok }]) => rooms.has(room) && invoke > gone && ok < back && got.has(id));
    return (missed.reduce((last, [id]) => Math.max(last, got.get(id)), back) - from) / 1e6;
  });
}

export function gateway_deaths(wanted, world, say) {
  const plan = { ...full, ...wanted };
  return on_stage({ plan, world, say, house: { gateways: 2 } }, async (stage) => {
    const { house, history } = stage;
    stage.members = await gather_members(house, history, { count: plan.members, rooms: plan.rooms, only: kinds });
    const publishing = publish_lanes(house, history, stage.chance(2), { ...plan, is_over: () => stage.is_over });
    publishing.catch(() => {}); // told below
    const all = [];
    for (let i = 0; i < plan.deaths; i++) {
      await sleep(500);
      await house.until_ready();
      const from = now_ns(), before = stage.returns();
      house.signal(house.any_gateway(), 'SIGKILL');
      stage.tell('a gateway killed');
      await sleep(200);
      await until(() => stage.members.every((member) => member.is_settled()), back_ms);
      await sleep(300);
      all.push(...completions(history.records, from));
      stage.tell(`${stage.returns().connects - before.connects} returned, ${stage.returns().recovered - before.recovered} recovered`);
    }
    stage.is_over = true;
    await publishing;
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
    Object.assign(stage.figures, { returned: all.length, complete_p50: quantile(all, 0.5), complete_p99: quantile(all, 0.99) });
  });
}
