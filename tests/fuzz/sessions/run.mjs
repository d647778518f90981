// ./dev fuzz sessions: rounds of strangers, each with a seed of its own, on gateways that share a port.
import { start } from '../../flow/lib/sidecast.mjs';
import { bound } from '../../flow/lib/wait.mjs';
import { fuzz_sessions, options } from './sessions.mjs';

const round_ms = 20_000;

function numbers(words) {
  const wanted = { minutes: 1, seed: 1, gateways: 1 };
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    const value = Number(words[i + 1]);
    if (!(name in wanted) || words[i] !== `--${name}` || !Number.isSafeInteger(value) || value < 1) {
      console.error('usage: ./dev fuzz sessions [--minutes N] [--seed S] [--gateways N]');
      process.exit(2);
    }
    wanted[name] = value;
  }
  return wanted;
}

const { minutes, seed, gateways } = numbers(process.argv.slice(2));
const sidecast = await start({ ...options, args: [...options.args, '--gateways', gateways] });
const total = {};
const end = performance.now() + minutes * 60_000;
let round = seed;

try {
  for (; performance.now() < end; round++) {
    const { tally, witnesses } = await fuzz_sessions(sidecast, {
      seed: round, ms: round_ms, due_ms: bound(1000), honest: [['polling'], ['websocket'], ['polling', 'websocket']],
    });
    for (const [what, count] of Object.entries(tally))
      total[what] = (total[what] ?? 0) + count;
    const slowest = Math.max(...witnesses.map((one) => one.slowest));
    console.log(`seed ${round}: ${witnesses.map((one) => one.answers).join(' + ')} honest answers, the slowest took ${Math.round(slowest)} ms`);
  }
  await sidecast.stop();
  console.log(`seeds ${seed} to ${round - 1} hold: ${JSON.stringify(total)}`);
} catch (error) {
  console.error(sidecast.log.slice(-20_000));
  console.error(`${error.message}\nagain: ./dev fuzz sessions --seed ${round} --gateways ${gateways}`);
  sidecast.kill();
  process.exitCode = 1;
} finally {
  sidecast.forget();
}
