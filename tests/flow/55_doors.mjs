// Who may come in: pages of listed origins, clients behind listed proxies, as many as the
// ceilings say; over IPv4 and IPv6. With the official client, plain WebSockets and curl's kind
// of requests.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import WebSocket from 'ws';
import { connect, native } from './lib/clients.mjs';
import { program, with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const page = 'https://app.example.com';
const evil = 'https://app.example.com.evil.io';

// 101, or the status of the refusal.
function handshake(sidecast, headers) {
  return new Promise((resolve, reject) => {
    const url = `${sidecast.gateway.replace('http', 'ws')}/ws?token=${sidecast.token}`;
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => { resolve(101); socket.close(); });
    socket.on('unexpected-response', (request, response) => { resolve(response.statusCode); request.destroy(); });
    socket.on('error', reject);
  });
}

const get = (sidecast, headers, path = '/livez', method = 'GET') =>
  sidecast.request(sidecast.gateway + path, { method, headers });

test('only pages of listed origins connect [websocket]',
  with_sidecast({ set: [`allowed_origins=${page},null`, 'cors.credentials=on'] }, async (sidecast) => {
    assert.equal(await handshake(sidecast, { origin: page }), 101);
    assert.equal(await handshake(sidecast, {}), 101);
    for (const origin of [evil, 'http://app.example.com', sidecast.gateway, `${page}:443`, 'null@a'])
      assert.equal(await handshake(sidecast, { origin }), 403, origin);
    const client = await connect(sidecast, { extraHeaders: { origin: page } });
    client.close();
    await assert.rejects(connect(sidecast, { extraHeaders: { origin: evil } }));

    const answer = await get(sidecast, { origin: page });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], page);
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    const refused = await get(sidecast, { origin: evil });
    assert.equal(refused.status, 403);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
    assert.equal(refused.headers.vary, 'Origin');
    const preflight = await get(sidecast,
      { origin: page, 'access-control-request-method': 'POST' }, '/socket.io/', 'OPTIONS');
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET,HEAD,PUT,PATCH,POST,DELETE');

    for (const url of [sidecast.publisher, sidecast.ops]) {
      const other = await sidecast.request(`${url}/livez`, { headers: { origin: page } });
      assert.equal(other.status, 403);
      assert.equal(other.headers['access-control-allow-origin'], undefined);
    }
    assert.equal((await sidecast.publish({ event: 'e', room: 'a' }, { origin: page })).status, 403);
    assert.equal((await sidecast.publish({ event: 'e', room: 'a' })).status, 202);
  }));

test('without a list the own host is the origin [native]',
  with_sidecast({}, async (sidecast) => {
    const { port } = new URL(sidecast.gateway);
    assert.equal(await handshake(sidecast, { origin: sidecast.gateway }), 101);
    for (const origin of [`http://localhost:${port}`, 'http://127.0.0.1', 'null', evil])
      assert.equal(await handshake(sidecast, { origin }), 403, origin);
    assert.equal(await handshake(sidecast, { cookie: 's=1' }), 403);
    assert.equal((await get(sidecast, { cookie: 's=1' })).status, 200);
  }));

test('behind a listed proxy the forwarded address counts [native]',
  with_sidecast({ set: ['trusted_proxies=127.0.0.0/8', 'limits.connections_per_ip=2'] }, async (sidecast) => {
    const from = (ip) => ({ 'x-forwarded-for': ip });
    const held = [];
    for (let i = 0; i < 2; i++)
      held.push(await native(sidecast, { headers: from('203.0.113.7') }));
    assert.equal(await handshake(sidecast, from('203.0.113.7')), 429);
    assert.equal(await handshake(sidecast, from('203.0.113.7, 127.0.0.9')), 429);
    assert.equal(await handshake(sidecast, from('203.0.113.8')), 101);
    const http_too = await get(sidecast, from('203.0.113.7'));
    assert.equal(http_too.status, 429);
    assert.equal(http_too.json.code, 'E_LIMIT');
    assert.match(http_too.headers['retry-after'], /^[1-5]$/);
    assert.match(sidecast.log, /ip=203\.0\.113\.7/);

    held.forEach((client) => client.close());
    await until(async () => await handshake(sidecast, from('203.0.113.7')) === 101, 5000);

    const two = { ...from('203.0.113.9'), forwarded: 'for=203.0.113.10' };
    assert.equal((await get(sidecast, two)).status, 400);
    const https = { ...from('203.0.113.9'), 'x-forwarded-proto': 'https' };
    assert.equal(await handshake(sidecast, { ...https, origin: sidecast.gateway }), 403);
    assert.equal(await handshake(sidecast, { ...https, origin: sidecast.gateway.replace('http', 'https') }), 101);
  }));

test('a connection that was used through a proxy takes no upgrade [native]',
  with_sidecast({}, async (sidecast) => {
    const wire = new Wire(sidecast.gateway);
    await wire.send('GET /livez HTTP/1.1\r\nHost: h\r\nVia: 1.1 p\r\n\r\n');
    await wire.answers(1);
    assert.match(wire.text, /\r\nConnection: close\r\n/);
    await until(() => wire.ended, 5000);

    const reused = new Wire(sidecast.gateway);
    await reused.send('GET /livez HTTP/1.1\r\nHost: h\r\n\r\n');
    await reused.answers(1);
    await reused.send(`GET /ws?token=${sidecast.token} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n` +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await reused.answers(2);
    assert.deepEqual(reused.statuses(), [200, 426]);
    await until(() => reused.ended, 5000);
  }));

test('a user has as many connections as the limit says [websocket]',
  with_sidecast({ set: ['limits.connections_per_user=1'] }, async (sidecast) => {
    const first = await connect(sidecast);
    await assert.rejects(connect(sidecast), (error) => {
      assert.equal(error.data?.code, 'E_LIMIT');
      assert.equal(error.data?.reason, 'limit');
      assert.match(error.data?.hint, /as many connections as/);
      return true;
    });
    const other = await connect(sidecast, { token: sidecast.mint({ sub: 'another', rooms: ['**'] }) });
    other.close();
    first.close();
    await until(async () => {
      const again = await connect(sidecast).catch(() => null);
      again?.close();
      return again;
    }, 5000);
  }));

test('handshakes beyond the rate are sent away for a moment [native]',
  with_sidecast({ set: ['limits.handshakes=3/1m'] }, async (sidecast) => {
    const statuses = [];
    for (let i = 0; i < 5; i++)
      statuses.push(await handshake(sidecast, {}));
    assert.deepEqual(statuses, [101, 101, 101, 503, 503]);
    assert.equal((await get(sidecast, {})).status, 200);
  }));

for (const [listen, host] of [['[::1]:0', '[::1]'], ['[::]:0', '127.0.0.1']])
  test(`${listen} serves ${host} [websocket]`,
    with_sidecast({ set: ['gateway', 'publisher', 'ops'].map((name) => `${name}.listen=${listen}`) },
      async (sidecast) => {
        assert.equal(new URL(sidecast.gateway).hostname, '[::1]');
        for (const name of ['gateway', 'publisher'])
          sidecast[name] = `http://${host}:${new URL(sidecast[name]).port}`;
        const client = await connect(sidecast, { rooms: ['a'] });
        assert.equal((await sidecast.publish({ event: 'e', room: 'a' })).status, 202);
        await until(() => client.received.length, 5000);
        client.close();
      }));

test('a setting that makes no sense is one sentence and exit 78', () => {
  const wrong = [
    ['allowed_origins=*', /insecure:\*/],
    ['allowed_origins=https://a/', /"https:\/\/a\/" must end after the host/],
    ['trusted_proxies=10.0.0.0/8,proxy', /"proxy" is no address or prefix/],
    ['limits.handshakes=many', /5000\/s/],
    ['limits.connections_per_ip=0', /between 1 and/],
  ];
  for (const [setting, sentence] of wrong) {
    const { status, stderr } = spawnSync(program, ['serve', '--set', setting], { encoding: 'utf8' });
    assert.equal(status, 78, setting);
    assert.match(stderr, sentence);
    assert.match(stderr, /^[^\n]*\n1 error, nothing started \(exit 78\)\n$/);
  }
});
