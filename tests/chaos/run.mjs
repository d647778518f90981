// ./dev chaos: faults of every kind, round by round, each run with a seed of its own; the figures
// beside what is promised, times SIDECAST_SLOWNESS. Exit 1 when a history is broken or a figure is exceeded.
// What is not named runs `mixed`, where a round is one random fault; `--scenario all` runs all.
import { describe } from './lib/check.mjs';
import { insist, keep } from './lib/keep.mjs';
import { enter } from './lib/world.mjs';

// A run in which this very program was kept waiting longer has no figures, only a verdict.
const stall_ms = 150;
const sabotage_tries = 6;
const usage = 'usage: ./dev chaos [--rounds N] [--seed S] [--scenario NAME]… [--sabotage]';

function read(words) {
  const wanted = { rounds: 30, seed: 1, names: [], is_sabotage: false };
  for (let i = 0; i < words.length; i++) {
    const value = Number(words[i + 1]);
    if (words[i] === '--sabotage')
      wanted.is_sabotage = true;
    else if (words[i] === '--scenario' && words[i + 1])
      wanted.names.push(words[++i]);
    else if (['--rounds', '--seed'].includes(words[i]) && Number.isSafeInteger(value) && value > 0)
      wanted[words[i++].slice(2)] = value;
    else
      refuse();
  }
  return wanted;
}

function refuse() {
  console.error(usage);
  process.exit(2);
}

const wanted = read(process.argv.slice(2));
const world = await enter();
const { bound } = await import('../flow/lib/wait.mjs');
const { scenarios } = await import('./lib/scenarios.mjs'); // takes its variables from the environment
const say = (text) => console.log(`  ${text}`);
const short = (figures) => Object.entries(figures)
  .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(1)}`).join(', ');
const by_default = wanted.is_sabotage ? 'all' : 'mixed';
const names = wanted.names.length > 0 ? wanted.names : [by_default];
const chosen = scenarios.filter(({ name }) => names.includes('all') || names.includes(name));
if (names.some((name) => name !== 'all' && !scenarios.some((row) => row.name === name)))
  refuse();

let is_well = true;
const worst = new Map();

function measure(name, promises, figures) {
  if (figures.own_stall > stall_ms) {
    console.log(`  not measured: the machine kept the clients waiting for ${Math.round(figures.own_stall)} ms`);
    return;
  }
  for (const [key, most] of Object.entries(promises))
    worst.set(`${name} ${key}`, { value: Math.max(worst.get(`${name} ${key}`)?.value ?? 0, figures[key]), most });
}

async function run_one({ name, run, promises }, rounds, seed) {
  const again = `./dev chaos --scenario ${name} --rounds ${rounds} --seed ${seed}`;
  try {
    console.log(`${name}, ${rounds} rounds, seed ${seed}`);
    const result = await run(rounds, { seed, sabotage: [] }, world, say);
    console.log(`  ${describe(result.verdict)}\n  ${short(result.figures)}`);
    insist(`${name}-${seed}`, result);
    measure(name, promises, result.figures);
  } catch (error) {
    is_well = false;
    if (error.history)
      console.log(`  the history: ${keep(`${name}-${seed}`, error.history, error.log)}`);
    console.log(`  FAIL ${error.message.split('\n').slice(0, 3).join('\n  ')}\n  again: ${again}`);
  }
}

// With a part switched off the same must fail: that it does is what is wanted.
async function sabotage({ name, run, promises }, { switches, rounds, by, ...options }) {
  for (let seed = wanted.seed; seed < wanted.seed + sabotage_tries; seed++) {
    try {
      const { verdict, figures } = await run(rounds, { ...options, seed: options.seed ?? seed, sabotage: switches }, world, () => {});
      const is_caught = by ? figures[by] > bound(promises[by]) : verdict.faults.length > 0;
      if (is_caught) {
        console.log(`caught: ${name} with ${switches.join(' ')}: ${by ? `${by} ${figures[by].toFixed(0)}` : describe(verdict)}`);
        return;
      }
    } catch (error) {
      console.log(`  ${name} with ${switches.join(' ')}: ${error.message.split('\n')[0]}`);
    }
  }
  is_well = false;
  console.log(`FAIL nobody noticed ${switches.join(' ')} in ${name}`);
}

for (const row of chosen) {
  if (wanted.is_sabotage) {
    for (const one of row.sabotage)
      await sabotage(row, one);
    continue;
  }
  for (let left = wanted.rounds, seed = wanted.seed; left > 0; left -= row.at_once, seed++)
    await run_one(row, Math.min(left, row.at_once), seed);
}
for (const [row, { value, most }] of worst) {
  console.log(`${value <= bound(most) ? 'PASS' : 'FAIL'} ${row} ${value.toFixed(1)} of ${bound(most)}`);
  is_well &&= value <= bound(most);
}
console.log(is_well ? 'PASS' : 'FAIL');
process.exit(is_well ? 0 : 1);
