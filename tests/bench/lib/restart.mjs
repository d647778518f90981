// A publisher that is killed beside a full log, as its callers and the clients see it.
import { native } from '../../flow/lib/clients.mjs';
import { until } from '../../flow/lib/wait.mjs';
import { measure } from './servers.mjs';

const patience_ms = 60_000;

// With events of 600 bytes, by the tens of thousands.
export async function fill_log(args, sidecast, bytes) {
  const size = async () => {
    const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
    return Number(/^sidecast_log_bytes (\d+)$/m.exec(text)[1]);
  };
  while (await size() < bytes)
    await measure('ingest', [...args, '--connections', 32, '--bytes', 400, '--run-ms', 200]);
}

async function soon(condition) {
  await until(async () => {
    for (let i = 0; i < 10; i++) {
      if (await condition())
        return true;
      await new Promise(setImmediate);
    }
    return false;
  }, patience_ms);
}

// From the kill to the first answer that it is ready; from then to when an event has arrived.
export async function measure_restart(sidecast) {
  const client = await native(sidecast, { token: sidecast.mint({ sub: 'watcher', rooms: ['load:*'] }), rooms: ['load:restart'] });
  let has_come = false;
  client.take = (data) => { has_come = has_come || String(data).includes('"again"'); };
  const killed = performance.now();
  process.kill(sidecast.pids.publisher, 'SIGKILL');
  sidecast.agent.destroy();
  await soon(async () => (await sidecast.request(`${sidecast.publisher}/readyz`).catch(() => null))?.status === 200);
  const ready = performance.now();
  await sidecast.publish({ event: 'again', room: 'load:restart' });
  await soon(() => has_come);
  const caught_up = performance.now();
  client.close();
  return { 'publisher ready': { value: ready - killed }, 'gateways caught up': { value: caught_up - ready } };
}
