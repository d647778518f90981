// Scenario "bus": the bus loses, doubles and reorders, its connections are cut, a gateway is
// stopped for a while, and the last event before silence is lost.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { random_from, sleep, until } from '../../flow/lib/wait.mjs';
import { check } from './check.mjs';
import { crowd, History, now_ns, publish_one, publish_paced } from './crowd.mjs';
import { Fleet } from './fleet.mjs';

const warm_mark = 'warm'; // while this program is being compiled nothing is measured
const warm_ms = 500;
const tail_mark = 'last-before-silence';
const deep_outbox = ['limits.outbox=64MiB', 'limits.outbox_frames=1000000'];
export const full = {
  seed: 1, clients: 100, gateways: 2, rooms: 10, rate: 1000, ms: 10_000, cuts: 100, stop_ms: 2000,
  tails: 20, drop: 20, dup: 5, reorder: 10, sabotage: [],
};

async function cut_often(fleet, random, count, ms) {
  const end = performance.now() + 3 * ms;
  while (fleet.proxy.cuts < count && performance.now() < end) {
    await sleep((0.4 + random(100) / 100) * 0.7 * (ms / count));
    fleet.proxy.cut(random, random(10) === 0);
  }
}

// Gives from when to when it stood still.
async function stop_one(fleet, gateway, ms) {
  const from = now_ns();
  fleet.gateways[gateway].signal('SIGSTOP');
  await sleep(ms);
  fleet.gateways[gateway].signal('SIGCONT');
  return { gateway, from, to: now_ns() };
}

const received = (history) => {
  let count = 0;
  for (const { op } of history.records)
    count += op === 'recv';
  return count;
};

// Until nothing more comes.
async function settle(history, quiet_ms) {
  for (let before = -1, count = received(history); before !== count; count = received(history)) {
    before = count;
    await sleep(quiet_ms);
  }
}

async function tail(fleet, history, members, id, wait_ms) {
  const from = history.records.length;
  await publish_one(fleet, history, 'all', id);
  const came = () => history.records.slice(from).filter((r) => r.op === 'recv' && r.id === id).length;
  await until(() => came() >= members.length, wait_ms).catch(() => {});
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

// How long after a frame was lost its events reached each client of that gateway, in ms. What
// had come before the frame did was not missing; while the gateway stood still nothing could be
// repaired (catch_up has that).
function repairs(fleet, history, members, stop) {
  const position = new Map();
  const came = members.map(() => new Map());
  const index = new Map(members.map(({ who }, i) => [who, i]));
  for (const { op, phase, id, position: text, who, at } of history.records) {
    if (op === 'publish' && phase === 'ok')
      position.set(parseInt(text.slice(9), 36), id);
    else if (op === 'recv')
      came[index.get(who)].set(id, at);
  }
  const waits = { repair: [], tail: [] };
  fleet.gateways.forEach((_, gateway) => {
    for (const [first, count, us] of fleet.losses(gateway)) {
      for (let seq = first; seq < first + count; seq++) {
        const id = position.get(seq);
        members.forEach((member, i) => {
          const at = member.gateway === gateway && came[i].get(id);
          const stood_still = gateway === stop?.gateway && us * 1000 < stop.to && at > stop.from;
          if (at && at / 1000 > us && !stood_still && !id.startsWith(warm_mark))
            waits[id.startsWith(tail_mark) ? 'tail' : 'repair'].push((at / 1000 - us) / 1000);
        });
      }
    }
  });
  waits.repair.sort((a, b) => a - b);
  waits.tail.sort((a, b) => a - b);
  return waits;
}

// From publish begun to delivery, over all of them.
function latencies(history) {
  const begun = new Map();
  const all = [];
  for (const { op, phase, id, at } of history.records) {
    if (op === 'publish' && phase === 'invoke')
      begun.set(id, at);
    else if (op === 'recv')
      all.push((at - begun.get(id)) / 1e6);
  }
  return all.sort((a, b) => a - b);
}

// From SIGCONT until the clients of that gateway had all that was acknowledged before it.
function catch_up(history, members, stop) {
  const { gateway, to: cont } = stop ?? {};
  if (!stop)
    return 0;
  const old = new Set();
  for (const { op, phase, id, at } of history.records)
    if (op === 'publish' && phase === 'ok' && at < cont)
      old.add(id);
  const there = new Set(members.filter((m) => m.gateway === gateway).map(({ who }) => who));
  let last = cont;
  for (const { op, who, id, at } of history.records)
    if (op === 'recv' && at > last && there.has(who) && old.has(id))
      last = at;
  return (last - cont) / 1e6;
}

// Gives {history, verdict, figures}.
export async function bus_faults(wanted = {}) {
  const plan = { ...full, ...wanted };
  const random = random_from(plan.seed);
  const history = new History();
  const fleet = await Fleet.start({
    gateways: plan.gateways, set: deep_outbox,
    hooks: (i, folder) => [
      `bus-shim=${plan.seed * 100 + i}:drop=${plan.drop},dup=${plan.dup},reorder=${plan.reorder},` +
        `lose=${tail_mark},record=${folder}/lost-${i}`, ...plan.sabotage],
  });
  try {
    const members = await crowd(fleet, history, plan);
    await publish_paced(fleet, history, { ...plan, ms: warm_ms, prefix: warm_mark });
    const stalls = monitorEventLoopDelay({ resolution: 1 });
    stalls.enable();
    const stopped = plan.stop_ms > 0 ? sleep(plan.ms / 4).then(() => stop_one(fleet, 0, plan.stop_ms)) : null;
    const [begun, , stop] = await Promise.all([
      publish_paced(fleet, history, { ...plan, prefix: 'p' }),
      plan.cuts > 0 ? cut_often(fleet, random, plan.cuts, plan.ms) : null, stopped]);
    await settle(history, 1000);
    for (let i = 0; i < plan.tails; i++) {
      await sleep(random(150));
      await tail(fleet, history, members, `${tail_mark}-${i}`, 2000);
    }
    await settle(history, 300);
    const { repair, tail: tails } = repairs(fleet, history, members, stop);
    const all = latencies(history);
    const figures = {
      begun, rate: Math.round(begun / (plan.ms / 1000)), cuts: fleet.proxy.cuts,
      repairs: repair.length, repair_p50: quantile(repair, 0.5), repair_p99: quantile(repair, 0.99),
      repair_max: repair.at(-1) ?? 0, tails: tails.length, tail_p50: quantile(tails, 0.5),
      tail_max: tails.at(-1) ?? 0, catch_up: catch_up(history, members, stop),
      own_stall: stalls.max / 1e6, // of this program: above it nothing can be told
      latency_p50: quantile(all, 0.5), latency_p99: quantile(all, 0.99),
    };
    members.forEach((member) => member.close());
    const verdict = check(history.records);
    await fleet.stop();
    return { history, verdict, figures };
  } catch (error) {
    console.error(fleet.logs());
    await fleet.kill();
    throw error;
  }
}
