// The servers that are measured, the client that measures them, and the cores they sit on.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../flow/lib/wait.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const release = path.join(root, 'build/release');
process.env.SIDECAST = path.join(release, 'sidecast');
const { start } = await import('../../flow/lib/sidecast.mjs');

const server_core = '0';
const client_core = '1';
const may_pin = cpus().length > 1;
const client_ms = 180_000;
const alone_ms = 30_000;

// A release of the product on its core. `use` gets the client's args, and the product.
export async function with_product({ tokens = 1, set = [], env = {}, mint }, use) {
  const sidecast = await start({ set, env, args: ['--log-level', 'warn'] });
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-bench-'));
  try {
    const { self, publisher, gateways } = sidecast.pids;
    [self, publisher, ...gateways].forEach(pin_to_server_core);
    const token_file = path.join(folder, 'tokens');
    const token = mint ?? ((claims) => sidecast.mint(claims));
    writeFileSync(token_file, Array.from({ length: tokens },
      (_, i) => token({ sub: `user-${i}`, rooms: ['load:*'] })).join('\n'));
    const args = ['--server', sidecast.gateway, '--publisher', sidecast.publisher,
      '--key', sidecast.key, '--token-file', token_file, '--publisher-pid', publisher,
      ...gateways.flatMap((pid) => ['--gateway-pid', pid])];
    const result = await use(args, sidecast);
    await until_alone(sidecast);
    await sidecast.stop();
    return result;
  } catch (error) {
    sidecast.kill();
    throw new Error(`${error.message}\n${sidecast.log.slice(-5000)}`);
  } finally {
    sidecast.forget();
    rmSync(folder, { recursive: true, force: true });
  }
}

// Ten thousand clients hang up at once; a stop in that moment would take its time.
async function until_alone({ pids }) {
  const few_files = 100;
  await until(() => pids.gateways.every((pid) => readdirSync(`/proc/${pid}/fd`).length < few_files), alone_ms);
}

// The raw-socket limit on the same core. It ends when its client hangs up.
export async function with_limit(use) {
  const [command, ...args] = pinned(server_core, [path.join(release, 'bench/limit_server')]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let said = '';
  let errors = '';
  try {
    child.stderr.on('data', (data) => { errors += data; });
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => reject(new Error(`limit_server ended: ${errors}`)));
      child.stdout.on('data', (data) => {
        said += data;
        if (said.split('\n').length > 2)
          resolve();
      });
    });
    const [server, control] = said.split('\n');
    return await use(['--server', `http://${server}`, '--control', `http://${control}`,
      '--dialect', 'raw', '--gateway-pid', child.pid]);
  } catch (error) {
    throw new Error(`${error.message}\n${errors}`);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

// Runs one scenario of the measuring client; gives what it prints.
export async function measure(scenario, args) {
  const client = start_client(scenario, args);
  const result = await client.next_line();
  await client.end();
  return result;
}

// Two clients that take turns, block by block, so that a slow moment of the machine falls on
// both. `second` makes the other's arguments from the first's first result, which is not
// counted. Gives [[first, second], …].
export async function take_turns(blocks, first_args, second) {
  const turns = ['--blocks', blocks + 1];
  const clients = [start_client('rounds', [...first_args, ...turns])];
  const pairs = [];
  try {
    const sample = await clients[0].next_block();
    clients.push(start_client('rounds', [...second(sample), ...turns]));
    await clients[1].next_block();
    for (let i = 0; i < blocks; i++)
      pairs.push([await clients[0].next_block(), await clients[1].next_block()]);
  } finally {
    for (const client of clients)
      client.hang_up();
  }
  await Promise.all(clients.map((client) => client.end()));
  return pairs;
}

function start_client(scenario, args) {
  const [command, ...rest] = pinned(client_core, [path.join(release, 'bench/bench_client'),
    scenario, ...args.map(String)]);
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), client_ms);
  let stdout = '';
  let stderr = '';
  let code = null;

  child.stdin.on('error', () => {}); // it ended: its code tells
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  child.on('error', (error) => { stderr += error.message; code = -1; });
  child.on('close', (status) => { code = status ?? -1; clearTimeout(late); });
  const failed = () => new Error(`${scenario} could not be measured (${code}): ${stderr}`);
  const next_line = async () => {
    await until(() => stdout.includes('\n') || code !== null, client_ms);
    const end = stdout.indexOf('\n');
    if (end < 0)
      throw failed();
    const line = stdout.slice(0, end);
    stdout = stdout.slice(end + 1);
    return JSON.parse(line);
  };
  return {
    next_line,
    next_block: () => {
      child.stdin.write('\n');
      return next_line();
    },
    hang_up: () => child.stdin.end(),
    end: async () => {
      await until(() => code !== null, client_ms);
      if (code !== 0)
        throw failed();
    },
  };
}

function pinned(core, command) {
  return may_pin ? ['taskset', '-c', core, ...command] : command;
}

// All threads that it has; those to come inherit it.
function pin_to_server_core(pid) {
  if (may_pin)
    execFileSync('taskset', ['-a', '-p', '-c', server_core, String(pid)], { stdio: 'ignore' });
}
