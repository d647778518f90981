// What can befall a house: one row per fault. `run(house, random)` lets it happen, lasts as long as
// it does, undoes what does not end by itself, and says what it was.
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { is_alive } from '../../flow/lib/sidecast.mjs';
import { sleep } from '../../flow/lib/wait.mjs';

const run_file = promisify(execFile);
const hour_ms = 3600 * 1000;
const spare_descriptors = 3;
const spare_bytes = 4 * 1024 * 1024;

async function stop_for(house, role, ms) {
  const pid = house.signal(role, 'SIGSTOP');
  await sleep(ms);
  if (pid && is_alive(pid))
    process.kill(pid, 'SIGCONT');
  return `${role} stopped for ${ms} ms`;
}

function struck(house, role, signal) {
  return house.signal(role, signal) ? `${role} ${signal}` : `${role} is not there`;
}

// Cuts what the kernel knows of a port, for a while.
async function cut_port(port, count, ms, random) {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20 + random(200)))
    await run_file('ss', ['-K', '-tn', '(', 'sport', 'in', `{ ${Array.from({ length: count }, (_, i) => `:${port + i}`).join(' ')} }`, ')'])
      .catch(() => run_file('ss', ['-K', '-tn', Array.from({ length: count }, (_, i) => `sport = :${port + i}`).join(' or ')]));
}

const soft_limit = (pid, name) => readFileSync(`/proc/${pid}/limits`, 'utf8').match(new RegExp(`^${name} +(\\S+)`, 'm'))[1];
const address_space = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmSize:\s+(\d+)/)[1]) * 1024;

// Lowers a soft limit of a process and raises it again.
async function starve(pid, option, least, former, ms) {
  if (spawnSync('prlimit', ['--pid', String(pid), `--${option}=${least}:`]).status !== 0)
    return;
  await sleep(ms);
  spawnSync('prlimit', ['--pid', String(pid), `--${option}=${former}:`]);
}

async function starve_descriptors(house, role, ms) {
  const pid = house.roles()[role];
  try {
    const least = readdirSync(`/proc/${pid}/fd`).length + spare_descriptors;
    await starve(pid, 'nofile', least, soft_limit(pid, 'Max open files'), ms);
    return `${role} may open ${spare_descriptors} descriptors for ${ms} ms`;
  } catch {
    return `${role} is not there`;
  }
}

async function starve_memory(house, role, ms) {
  const pid = house.roles()[role];
  try {
    await starve(pid, 'as', address_space(pid) + spare_bytes, soft_limit(pid, 'Max address space'), ms);
    return `${role} may take ${spare_bytes} bytes for ${ms} ms`;
  } catch {
    return `${role} is not there`;
  }
}

async function fill_disk(house, ms) {
  const ballast = path.join(house.data, 'ballast');
  for (const end = performance.now() + ms; performance.now() < end; await sleep(50)) {
    const { bavail, bsize } = statfsSync(house.data);
    try {
      writeFileSync(ballast, Buffer.alloc(bavail * bsize), { flag: 'a' });
    } catch (error) {
      if (error.code !== 'ENOSPC') // the house has just taken some of it
        throw error;
    }
  }
  rmSync(ballast, { force: true });
  return `disk full for ${ms} ms`;
}

function shift_clock(house, random) {
  const ms = random(2 * hour_ms) - hour_ms;
  house.set_clock(ms);
  return `clock ${Math.round(ms / 60_000)} min ahead`;
}

function network(house, random) {
  const { proxy } = house;
  const percent = 10 + random(90), ms = 500 + random(3500);
  const rows = [
    () => `${proxy.delay(percent, 20 + random(400), ms)} connections delayed for ${ms} ms`,
    () => `${proxy.hold(percent, ms)} connections held for ${ms} ms`,
    () => `${proxy.dribble(percent, ms)} connections dribble for ${ms} ms`,
    () => `${proxy.reset(percent)} connections reset`,
  ];
  return rows[random(rows.length)]();
}

const in_own_world = ({ world }) => (world.is_own ? null : 'needs a network namespace');
const any = (ms, random) => 100 + random(ms);

// weight: how often, once each has been. alone: nothing else happens meanwhile. why_not: why it
// cannot be done here.
export const faults = [
  { name: 'publisher killed', weight: 4, run: (house) => struck(house, 'publisher', 'SIGKILL') },
  { name: 'gateway killed', weight: 5, run: (house) => struck(house, house.any_gateway(), 'SIGKILL') },
  { name: 'gateway stopped', weight: 4, run: (house, random) => stop_for(house, house.any_gateway(), any(4900, random)) },
  { name: 'publisher stopped', weight: 2, run: (house, random) => stop_for(house, 'publisher', any(3000, random)) },
  { name: 'gateway ended', weight: 3, run: (house) => struck(house, house.any_gateway(), 'SIGTERM') },
  { name: 'publisher ended', weight: 2, run: (house) => struck(house, 'publisher', 'SIGTERM') },
  { name: 'bad network', weight: 6, run: network },
  { name: 'clients cut', weight: 2, why_not: in_own_world,
    run: async (house, random) => { await cut_port(house.ports.gateway, 1, 10, random); return 'all clients cut'; } },
  { name: 'bus cut', weight: 3, why_not: in_own_world,
    run: async (house, random) => { const ms = any(3000, random); await cut_port(house.ports.bus, 3, ms, random); return `bus cut for ${ms} ms`; } },
  { name: 'disk full', weight: 2, why_not: ({ has_disk }) => (has_disk ? null : 'needs a mount namespace'),
    run: (house, random) => fill_disk(house, any(2500, random)) },
  { name: 'no descriptors', weight: 1, run: (house, random) => starve_descriptors(house, house.any_gateway(), any(2000, random)) },
  { name: 'no memory', weight: 1,
    why_not: (house) => (address_space(house.roles().publisher) > 2 ** 40 ? 'a sanitizer needs all addresses' : null),
    run: (house, random) => starve_memory(house, random(2) ? 'publisher' : house.any_gateway(), any(2000, random)) },
  { name: 'clock set', weight: 2, run: shift_clock },
  { name: 'all restarted', weight: 1, alone: true, run: async (house) => { await house.restart('SIGTERM'); return 'all restarted'; } },
  { name: 'power lost', weight: 1, alone: true, run: async (house) => { await house.lose_power(); return 'power lost'; } },
  { name: 'all killed', weight: 1, alone: true, run: async (house) => { await house.restart('SIGKILL'); return 'all killed'; } },
];

// So many faults by chance: first each kind once in some order, then by weight.
export function draw(random, count, possible) {
  const deck = [...possible];
  for (let i = deck.length - 1; i > 0; i--) {
    const other = random(i + 1);
    [deck[i], deck[other]] = [deck[other], deck[i]];
  }
  const all = possible.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
  return Array.from({ length: count }, (_, i) => deck[i] ?? all[random(all.length)]);
}
