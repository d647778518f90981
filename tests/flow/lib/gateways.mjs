// Several gateways: which one a client is on, gateways that run beside a sidecast without
// its supervisor, and what the directory says of all.
import { spawn } from 'node:child_process';
import { free_port } from './ports.mjs';
import { is_alive, program } from './sidecast.mjs';
import { until } from './wait.mjs';

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

// "AC…" → 1: the index in pids.gateways; the first two characters of a sid name the gateway.
export const gateway_of = (sid) => digits.indexOf(sid[0]) * 64 + digits.indexOf(sid[1]) - 1;

export async function stats(sidecast) {
  return (await sidecast.request(`${sidecast.ops}/v1/stats`)).json;
}

export const gateway_row = async (sidecast, id) =>
  (await stats(sidecast)).gateways.find((gateway) => gateway.id === id);

// The pid of a supervised gateway, as it is now.
export const pid_of = async (sidecast, id) => (await gateway_row(sidecast, id))?.pid;

// One gateway by hand on the sidecast's bus: {gateway, token, pid, log, exited, signal()}.
// Options: port (any that is free), set (key=value each).
export async function start_alone(sidecast, t, id, { port: wanted, set = [] } = {}) {
  const port = wanted ?? await free_port();
  const child = spawn(program, ['gateway', '--id', id, '--log-level', 'info',
    '--set', `bus.url=ipc://${sidecast.folder}/bus`, '--set', `gateway.listen=127.0.0.1:${port}`,
    ...set.flatMap((pair) => ['--set', pair])], {
    env: { ...process.env, TMPDIR: sidecast.folder, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const alone = {
    gateway: `http://127.0.0.1:${port}`, port, token: sidecast.token, pid: child.pid, log: '', exited: null,
    signal: (name) => child.kill(name),
  };
  child.stderr.on('data', (data) => { alone.log += data; });
  child.on('exit', (code, signal) => { alone.exited = { code, signal }; });
  t.after(() => {
    if (alone.exited)
      return;
    child.kill('SIGKILL'); // the test has failed, or does not care
    console.error(`--- stderr of gateway ${id} ---\n${alone.log}--- end ---`);
  });
  await until(() => /\bready\b.*pid/.test(alone.log) || alone.exited, 20_000, () =>
    `gateway ${id} is not ready\n${alone.log}`);
  return alone;
}

export async function stop_alone(alone) {
  alone.signal('SIGTERM');
  await until(() => alone.exited, 10_000);
  if (alone.exited.code !== 0)
    throw new Error(`ended with ${JSON.stringify(alone.exited)}\n${alone.log}`);
}

export async function ended(pid) {
  await until(() => !is_alive(pid), 2000);
}

// What a publish into `room` says: {recipients, complete}.
export async function counted(sidecast, room) {
  const { json } = await sidecast.publish({ event: 'count', room });
  return { recipients: json.recipients, complete: json.complete };
}

export async function until_counted(sidecast, room, wanted, ms) {
  let last = null;
  await until(async () => {
    last = await counted(sidecast, room);
    return last.recipients === wanted && last.complete;
  }, ms, () => `${JSON.stringify(last)} where ${wanted} were wanted`);
}
