// ./dev chaos: every scenario, round by round, each with a seed of its own; the figures beside
// what is promised. Exit 1 when a history is broken or a figure is exceeded.
import { bus_faults } from './lib/bus_faults.mjs';
import { describe } from './lib/check.mjs';
import { insist } from './lib/keep.mjs';

// One row per scenario. `run(seed)` gives {history, verdict, figures}; `promises` are ceilings
// of figures, in ms.
const scenarios = [
  { name: 'bus', run: (seed) => bus_faults({ seed }), promises: { repair_p99: 500, tail_max: 250 } },
];

function numbers(words) {
  const wanted = { rounds: 3, seed: 1 };
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    const value = Number(words[i + 1]);
    if (!(name in wanted) || words[i] !== `--${name}` || !Number.isSafeInteger(value) || value < 1) {
      console.error('usage: ./dev chaos [--rounds N] [--seed S]');
      process.exit(2);
    }
    wanted[name] = value;
  }
  return wanted;
}

// A round in which this very program was kept waiting longer has no figures, only a verdict.
const stall_ms = 150;

const short = (figures) => Object.entries(figures)
  .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(1)}`).join(', ');

const { rounds, seed } = numbers(process.argv.slice(2));
const worst = {};
let is_well = true;

for (let round = 0; round < rounds; round++) {
  for (const { name, run, promises } of scenarios) {
    try {
      const result = await run(seed + round);
      console.log(`${name} seed ${seed + round}: ${describe(result.verdict)}\n  ${short(result.figures)}`);
      insist(`${name}-${seed + round}`, result);
      if (result.figures.own_stall > stall_ms) {
        console.log(`  not measured: the machine kept the clients waiting for ${Math.round(result.figures.own_stall)} ms`);
        continue;
      }
      for (const key of Object.keys(promises)) {
        const row = `${name} ${key}`;
        worst[row] = { value: Math.max(worst[row]?.value ?? 0, result.figures[key]), most: promises[key] };
      }
    } catch (error) {
      is_well = false;
      console.log(`${name} seed ${seed + round}: ${error.message}\n  again: ./dev chaos --seed ${seed + round} --rounds 1`);
    }
  }
}
if (Object.keys(worst).length === 0) {
  console.log('FAIL no round was measured: the machine is too busy');
  is_well = false;
}
for (const [row, { value, most }] of Object.entries(worst)) {
  console.log(`${value <= most ? 'PASS' : 'FAIL'} ${row} ${value.toFixed(1)} ms of ${most} ms`);
  is_well &&= value <= most;
}
process.exit(is_well ? 0 : 1);
