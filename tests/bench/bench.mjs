// The bench: each scenario several times, the raw-socket limit and the product one after the
// other in each repetition. `./dev bench` builds the release and runs this.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release as kernel, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { make_row, markdown_table, text_table } from './lib/figures.mjs';
import { not_yet, scenarios } from './lib/scenarios.mjs';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    dialect: { type: 'string', default: 'native' },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

function fail(text) {
  console.error(`bench: ${text}`);
  process.exit(2);
}

function chosen() {
  if (options.peers)
    fail('--peers: no other server is measured beside this one yet');
  const names = options.scenario ?? Object.keys(scenarios);
  for (const name of names) {
    if (not_yet[name])
      fail(`${name} cannot be measured: ${not_yet[name]}`);
    if (!scenarios[name])
      fail(`no scenario ${name}; there are ${Object.keys(scenarios).join(', ')}`);
  }
  return names;
}

async function run_scenario(name, runs) {
  const samples = [];
  for (let i = 0; i < runs; i++) {
    console.error(`${name} ${i + 1}/${runs}`);
    samples.push(...[await scenarios[name].sample(options)].flat());
  }
  const faults = samples.reduce((sum, sample) => sum + (sample.faults ?? 0), 0);
  if (faults > 0)
    throw new Error(`${name}: ${faults} events were lost, doubled or out of order`);
  return scenarios[name].rows.map((row) =>
    make_row({ ...row, scenario: name }, samples.map((sample) => sample[row.figure])));
}

function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

function machine() {
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: kernel(),
  };
}

function origin_of({ machine: on, commit, runs }) {
  return `${on.cpu}, ${on.cores} cores, ${on.memory_gib} GiB, Linux ${on.kernel}; commit ${commit}; `
    + `medians of ${runs} runs; \`./dev bench\``;
}

function print(report, results) {
  const table = options.markdown ? markdown_table(results) : text_table(results);
  console.log(`${table}\n\n${origin_of(report)}`);
}

// Between the two marks of docs/performance.md.
function write_docs(report, results) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs/performance.md');
  const text = `${markdown_table(results)}\n\n${origin_of(report)}\n`;
  writeFileSync(file, readFileSync(file, 'utf8')
    .replace(/(<!-- \.\/dev bench --docs -->\n)[^]*(<!-- end -->)/, (_, begin, end) => begin + text + end));
}

async function main() {
  if (options.list) {
    console.log(Object.keys(scenarios).join('\n'));
    return;
  }
  const runs = Number(options.runs);
  if (!(Number.isInteger(runs) && runs > 0))
    fail('--runs needs a number from 1 on');
  if (options.docs && options.scenario)
    fail('--docs writes the whole table: leave --scenario out');
  if (!['native', 'ws'].includes(options.dialect))
    fail('--dialect is native, or ws for Socket.IO over WebSocket');
  const results = [];
  for (const name of chosen())
    results.push(...await run_scenario(name, runs));
  const report = {
    machine: machine(),
    commit: git('describe', '--always', '--dirty'),
    runs,
    rows: results.map((result) => result.row),
  };
  print(report, results);
  if (options.docs)
    write_docs(report, results);
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.check && results.some((result) => result.verdict === 'MISSED'))
    process.exitCode = 1;
}

await main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
});
