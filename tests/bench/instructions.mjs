// Counts instructions and system calls per delivery and per publish with callgrind, on the
// release build: figures that neither a busy machine nor its clock can move.
//   node tests/bench/instructions.mjs [--update]
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { free_port } from '../flow/lib/ports.mjs';
import { sleep, until } from '../flow/lib/wait.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const release = path.join(here, '../../build/release');
const counted_programs = ['count_delivery', 'count_contract', 'count_replay'].map((name) => path.join(release, 'bench', name));
const publisher_program = path.join(release, 'sidecast');
const baseline_file = path.join(here, 'instructions.json');
const key = `sk_${'A'.repeat(43)}`;
// Two runs that differ in nothing but the number of publishes: what they share cancels out.
const few_publishes = 300;
const many_publishes = 1300;
const publish_attempts = 3;

// Why nothing can be counted here, or null.
export function why_not() {
  if (![...counted_programs, publisher_program].every(existsSync))
    return 'no release build with its bench programs: ./dev bench --instructions makes them';
  if (!(process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, 'valgrind'))))
    return 'no valgrind: ./dev setup test';
  return null;
}

export function read_baseline() {
  return JSON.parse(readFileSync(baseline_file, 'utf8'));
}

// Gives {name: figure}: instructions under the plain name, system calls of deliveries under
// name_syscalls. With a baseline it stops as soon as the publish is within 5 % of it.
export async function count_all(baseline = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-count-'));
  try {
    const figures = {};
    for (const program of counted_programs)
      Object.assign(figures, await count_program(folder, program));
    return { ...figures, ...await count_publish(folder, baseline.publish * 1.05) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The figures that have risen by more than `tolerance` over the baseline, or are missing.
export function find_rises(baseline, counted, tolerance = 0.1) {
  return Object.entries(baseline)
    .filter(([name, was]) => !(counted[name] <= was * (1 + tolerance)))
    .map(([name, was]) => ({ name, was, is: counted[name] }));
}

function callgrind(folder, more, command, env = {}) {
  const args = ['--tool=callgrind', '--collect-systime=nsec',
    `--callgrind-out-file=${path.join(folder, 'out')}`, ...more, ...command];
  const child = spawn('valgrind', args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run = { child, stdout: '', stderr: '', code: null };
  child.stdout.on('data', (data) => { run.stdout += data; });
  child.stderr.on('data', (data) => { run.stderr += data; });
  child.on('error', (error) => { run.stderr += error.message; run.code = -1; });
  child.on('close', (code) => { run.code = code ?? -1; });
  run.ended = () => until(() => run.code !== null, 60_000);
  return run;
}

function assert_ended_well(run, what) {
  if (run.code !== 0)
    throw new Error(`${what} ended with ${run.code}:\n${run.stdout}${run.stderr}`);
}

// --- deliveries and contracts: a program dumps one file per figure and prints how often it did it

async function count_program(parent, program) {
  const folder = mkdtempSync(path.join(parent, 'program-'));
  const run = callgrind(folder, ['--collect-atstart=no'], [program]);
  const totals = {};
  const figures = {};

  await run.ended();
  assert_ended_well(run, path.basename(program));
  for (const file of readdirSync(folder).filter((name) => /^out\.\d+$/.test(name))) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const name = /^desc: Trigger: Client Request: (\w+)$/m.exec(text)?.[1];
    totals[name] = /^totals: (\d+)(?: (\d+))?/m.exec(text).slice(1).map((n) => Number(n ?? 0));
  }
  for (const [, name, count] of run.stdout.matchAll(/^(\w+) (\d+)$/gm))
    add_figure(figures, name, totals[name], Number(count));
  return figures;
}

function add_figure(figures, name, [instructions, syscalls], count) {
  figures[name] = round(instructions / count);
  if (/^(delivery|event)_/.test(name)) // what writes; elsewhere only clocks are read
    figures[`${name}_syscalls`] = round(syscalls / count);
}

function round(value) {
  return value >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

// --- publishes: the whole process, all its threads, one request after the other

// What time alone costs (beacons, timers) cancels out as well: both runs take as long. What
// is left of the noise only adds, so that the least of some attempts is nearest.
async function count_publish(folder, good_enough) {
  let least = Infinity;

  for (let i = 0; i < publish_attempts && !(least <= good_enough); i++) {
    const many = await publisher_totals(folder, many_publishes, 0);
    const few = await publisher_totals(folder, few_publishes, many.took_ms);
    const each = (many.instructions - few.instructions) / (many_publishes - few_publishes);
    least = Math.min(least, round(each));
  }
  return { publish: least };
}

// System calls are left out: how often threads wait for each other is up to the machine.
async function publisher_totals(folder, publishes, at_least_ms) {
  const [port, ops_port] = [await free_port(), await free_port()];
  const run = callgrind(folder, [], [publisher_program, 'publisher', '--log-level', 'error',
    ...Object.entries({
      'bus.url': `ipc://${path.join(folder, 'bus')}`,
      'publisher.listen': `127.0.0.1:${port}`,
      'ops.listen': `127.0.0.1:${ops_port}`,
      'log.durability': 'memory', // what a database does is its library's work
    }).flatMap(([name, value]) => ['--set', `${name}=${value}`])],
  { SIDECAST_PUBLISHER_API_KEYS: key });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let took_ms = 0;

  try {
    await until(async () => {
      if (run.code !== null)
        assert_ended_well(run, 'the publisher');
      return await request(ops_port, 'GET', '/readyz').catch(() => 0) === 200;
    }, 30_000);
    const began = performance.now();
    for (let i = 0; i < publishes; i++)
      await publish(port, agent);
    await sleep(Math.max(0, at_least_ms - (performance.now() - began)));
    took_ms = performance.now() - began;
  } finally {
    agent.destroy();
    run.child.kill('SIGTERM');
    await run.ended();
  }
  assert_ended_well(run, 'the publisher');
  return { took_ms, instructions: Number(/Collected : (\d+)/.exec(run.stderr)[1]) };
}

async function publish(port, agent) {
  const body = JSON.stringify({ room: 'project:7', event: 'task.moved', data: 'x'.repeat(62) });
  const status = await request(port, 'POST', '/broadcast', agent, body);
  if (status !== 202)
    throw new Error(`a publish is answered with ${status}`);
}

function request(port, method, target, agent, body = '') {
  const headers = { 'content-length': Buffer.byteLength(body) };
  if (body)
    Object.assign(headers, { authorization: `Bearer ${key}`, 'content-type': 'application/json' });
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port, path: target, method, headers, agent },
      (answer) => answer.resume().on('end', () => resolve(answer.statusCode)).on('error', reject));
    sent.on('error', reject);
    sent.setTimeout(15_000, () => sent.destroy(new Error('no answer in 15 s')));
    sent.end(body);
  });
}

// --- what a person sees

export function print_figures(baseline, counted) {
  for (const [name, is] of Object.entries(counted)) {
    const was = baseline[name];
    const change = was ? `${is >= was ? '+' : ''}${((is / was - 1) * 100).toFixed(1)} %` : 'new';
    console.log(`${name.padEnd(36)} ${String(is).padStart(9)} ${change.padStart(9)}`);
  }
}

async function main() {
  const reason = why_not();
  if (reason)
    throw new Error(reason);
  const baseline = existsSync(baseline_file) ? read_baseline() : {};
  const counted = await count_all(process.argv.includes('--update') ? {} : baseline);
  print_figures(baseline, counted);
  if (process.argv.includes('--update'))
    writeFileSync(baseline_file, `${JSON.stringify(counted, null, 2)}\n`);
  else if (find_rises(baseline, counted).length > 0)
    process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main();
