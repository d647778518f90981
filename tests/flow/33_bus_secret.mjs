// A gateway whose bus.secret is not the publisher's stays out, and the logs say why.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { Fleet } from '../chaos/lib/fleet.mjs';
import { program, random_text } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const complaint = /error .*is bus\.secret the same everywhere\?/g;

function start_gateway(fleet, secret) {
  const child = spawn(program, ['gateway', '--id', 'stranger', '--set', 'gateway.listen=127.0.0.1:0',
    '--set', `bus.url=ipc://${path.join(fleet.folder, 'bus')}`], {
    env: {
      ...process.env, TMPDIR: fleet.folder, SIDECAST_BUS_SECRET: secret,
      SIDECAST_AUTH_JWT_HMAC_SECRET: fleet.secret,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gateway = { child, log: '' };
  child.stderr.on('data', (data) => { gateway.log += data; });
  return gateway;
}

test('a wrong bus.secret is one line in the log of each end', async () => {
  process.env.SIDECAST_BUS_SECRET = random_text(40);
  const fleet = await Fleet.start({ gateways: 1, proxied: false });
  try {
    for (const secret of [random_text(40), '']) {
      const stranger = start_gateway(fleet, secret);
      await until(() => stranger.log.match(complaint), bound(2000), () => stranger.log);
      await until(() => fleet.publisher_process.log.match(complaint), bound(2000), () => fleet.logs());
      await sleep(1500);
      assert.equal(stranger.log.match(complaint).length, 1, stranger.log);
      stranger.child.kill('SIGKILL');
    }
    assert.equal(fleet.publisher_process.log.match(complaint).length, 1, fleet.logs());
    assert.equal(fleet.gateways[0].log.match(complaint), null, 'who has the right one says nothing');
    await fleet.stop();
  } catch (error) {
    await fleet.kill();
    throw error;
  } finally {
    delete process.env.SIDECAST_BUS_SECRET;
  }
});
