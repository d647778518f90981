// Strangers do at random what a client may do and what it may not, to a real gateway; honest
// clients beside them notice nothing, every request ends, and afterwards nothing is left.
import http from 'node:http';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { random_from, sleep, until } from '../../flow/lib/wait.mjs';
import { Actor } from './actor.mjs';
import { witness } from './witness.mjs';

// A session is over soon when nobody wants it any more; yet an honest client may have to wait
// for this very process, which is busy.
export const options = {
  args: ['--config', fileURLToPath(new URL('../../../examples/conformance/sidecast.yaml', import.meta.url))],
  set: ['gateway.ping_interval=300ms', 'gateway.ping_timeout=2500ms'],
};

const gauges = ['connections', 'sessions', 'users', 'rooms', 'memberships'];

async function levels(sidecast) {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  const of_gateways = (name) => [...text.matchAll(new RegExp(`^sidecast_${name}\\{gateway=[^}]*\\} (\\d+)$`, 'gm'))]
    .reduce((sum, [, value]) => sum + Number(value), 0);
  return Object.fromEntries(gauges.map((name) => [name, of_gateways(name)]));
}

const descriptors = (pids) => pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);

// A session that the server has closed waits for a poll: with it, it goes at once. Gives
// whether the sid is still known.
function poll_once(url, { mount, id }) {
  return new Promise((resolve) => {
    const request = http.request(`${url}${mount}?EIO=4&transport=polling&sid=${id}`, { agent: false }, (answer) => {
      answer.resume();
      answer.on('close', () => resolve(answer.statusCode === 200));
    });
    request.on('error', () => resolve(true));
    request.setTimeout(2000, () => request.destroy());
    request.end();
  });
}

// Gives those that are still known.
async function poll_all(url, sids) {
  const rest = [...sids];
  const known = [];
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (rest.length > 0) {
      const sid = rest.pop();
      if (await poll_once(url, sid))
        known.push(sid);
    }
  }));
  return known;
}

/*
 * `honest`: lists of transports, one client each. Gives what was counted; throws when something
 * was not as it should be.
 */
export async function fuzz_sessions(sidecast, { seed, ms, strangers = 20, due_ms, honest }) {
  const pids = sidecast.pids.gateways;
  const shared = { url: sidecast.gateway, sids: [], live: [], tally: {}, failures: [], due_ms };
  const before = { ...await levels(sidecast), descriptors: descriptors(pids) };
  const end = performance.now() + ms;
  const is_over = () => performance.now() > end || shared.failures.length > 0;
  const actors = Array.from({ length: strangers }, (_, n) => new Actor(shared, random_from(seed * 1000 + n)));
  const witnesses = honest.map((transports) => witness(sidecast, transports, due_ms, is_over));

  try {
    await Promise.all([...witnesses, ...actors.map(async (actor) => {
      while (!is_over()) {
        actor.act();
        await sleep(actor.random(25));
      }
    })]);
  } finally {
    actors.forEach((actor) => actor.leave());
  }
  let known = shared.sids.slice(-2000);
  const after = async () => ({ ...await levels(sidecast), descriptors: descriptors(pids) });
  let now = await after();
  await until(async () => {
    known = await poll_all(shared.url, known);
    now = await after();
    return gauges.every((name) => now[name] === before[name]) && now.descriptors <= before.descriptors + 4 * pids.length;
  }, due_ms, () => `something is left: ${JSON.stringify(now)}, before: ${JSON.stringify(before)}`);
  if (shared.failures.length > 0)
    throw new Error(shared.failures.slice(0, 5).join('\n'));
  return { tally: shared.tally, witnesses: await Promise.all(witnesses) };
}
