// Scenario "damage": while the publisher is down and a gateway stands still, bytes of the log change.
// Nobody is ever sent such a byte: the log is set aside and everybody is told.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { is_alive } from '../../flow/lib/sidecast.mjs';
import { sleep, until } from '../../flow/lib/wait.mjs';
import { gather_members } from './members.mjs';
import { quick_times } from './mixed.mjs';
import { publish_surely } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, rounds: 1, members: 8, rooms: 2, events: 60, signal: null, sabotage: [] };
// What waited for the stopped gateway has holes, so that it has to ask the log.
const lossy = 'drop-frame=3';
const word = 'truth-and-nothing-else';
const down_ms = 30_000;

// One letter in every place where the word stands, in the database and what is beside it.
function spoil(folder) {
  let places = 0;
  for (const name of readdirSync(folder).filter((file) => /^log\.db(-wal)?$/.test(file))) {
    const file = path.join(folder, name), bytes = readFileSync(file);
    for (let at = bytes.indexOf(word); at >= 0; at = bytes.indexOf(word, at + 1), places++)
      bytes[at] = 'T'.charCodeAt(0);
    writeFileSync(file, bytes);
  }
  return places;
}

async function round(stage, number) {
  const { house, history, plan } = stage;
  const stopped = house.any_gateway();
  const pid = house.signal(stopped, 'SIGSTOP');
  for (let i = 0; i < plan.events; i++)
    await publish_surely(house, history, `r:${i % plan.rooms}`, `d${number}-${i}`, { text: word });
  const before = house.roles().publisher;
  house.process.signal('SIGSTOP'); // so that it starts no successor yet
  // A clean stop leaves all in the database, a death leaves the last of it beside.
  const signal = plan.signal ?? ['SIGTERM', 'SIGKILL'][(plan.seed + number) % 2];
  house.signal('publisher', signal);
  await until(() => !is_alive(before), down_ms);
  const places = spoil(house.data);
  house.process.signal('SIGCONT');
  await until(() => house.roles().publisher !== before, down_ms);
  process.kill(pid, 'SIGCONT');
  stage.tell(`${stopped} was stopped, publisher ${signal}, ${places} places of the log spoiled`);
  await house.until_ready();
  await sleep(500);
}

export function damage(wanted, world, say) {
  const plan = { ...full, ...wanted };
  return on_stage({ plan, world, say, house: { gateways: 2, set: quick_times, hooks: [lossy] } }, async (stage) => {
    stage.members = await gather_members(stage.house, stage.history, { count: plan.members, rooms: plan.rooms });
    for (let i = 0; i < plan.rounds; i++)
      await round(stage, i);
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
  });
}
