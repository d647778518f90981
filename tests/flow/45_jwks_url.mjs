// Token keys from an address: fetched at the start, again when a token names a new key, and
// kept while the address is silent or talks nonsense.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect } from './lib/clients.mjs';
import { program, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const rotated_ms = 1000;

class Key {
  constructor(kid, alg = 'ES256') {
    const pair = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    Object.assign(this, { kid, alg, ...pair });
  }

  get jwk() {
    return { kid: this.kid, alg: this.alg, use: 'sig', ...this.publicKey.export({ format: 'jwk' }) };
  }

  mint() {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 600;
    const text = `${part({ alg: this.alg, typ: 'JWT', kid: this.kid })}.${part({ sub: 'ada', exp })}`;
    const options = { key: this.privateKey, dsaEncoding: 'ieee-p1363' };
    return `${text}.${sign('sha256', text, options).toString('base64url')}`;
  }
}

const first = new Key('k1');
const second = new Key('k2');
const third = new Key('k3');
const rsa = new Key('k4', 'RS256');
const secret = Buffer.alloc(48, 'not a secret').toString('base64url');
const oct = { kty: 'oct', kid: 'shared', alg: 'HS256', k: secret };

// What the address says, and who asked.
const asked = [];
let answer = { keys: [first.jwk, oct] };
const server = http.createServer((request, response) => {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const etag = `"${Buffer.from(body).length}-${body.length}"`;
  asked.push(request.headers);
  if (answer === '') {
    response.writeHead(503).end('down');
  } else if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
  } else {
    response.writeHead(200, { etag, 'content-type': 'application/json' }).end(body);
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
test.after(() => server.close());
const url = `http://127.0.0.1:${server.address().port}/jwks.json`;

const enters = (sidecast, token) => connect(sidecast, { token })
  .then((socket) => { socket.close(); return true; }, () => false);

test('keys come from an address, and newer ones when a token needs them',
  with_sidecast({ set: [`auth.jwt.jwks_url=${url}`] }, async (sidecast) => {
    assert.ok(await enters(sidecast, first.mint()));
    // A secret that everybody can read is none.
    assert.ok(!await enters(sidecast, sidecast.mint({ sub: 'eve' }, { header: { kid: 'shared' }, secret })));
    const at_start = asked.length;

    // Nothing new there: the keys stay, and nobody asks again so soon.
    assert.ok(!await enters(sidecast, second.mint()));
    await until(() => asked.length > at_start || asked.some((fields) => fields['if-none-match']), bound(rotated_ms));
    const asks = asked.length;
    answer = { keys: [first.jwk, second.jwk] };
    for (let i = 0; i < 20; i++)
      assert.ok(!await enters(sidecast, third.mint()));
    assert.equal(asked.length, asks);
    assert.ok(asked.some((fields) => fields['if-none-match']));
    assert.ok(await enters(sidecast, first.mint()));
  }));

test('a new key works as soon as it is used; a silent address changes nothing',
  with_sidecast({ set: [`auth.jwt.jwks_url=${url}`] }, async (sidecast) => {
    answer = { keys: [first.jwk, second.jwk, third.jwk] };
    assert.ok(await enters(sidecast, second.mint()));
    // The first token of a new key is refused, and its key is there a moment later.
    await until(async () => enters(sidecast, third.mint()), bound(rotated_ms));
    answer = '';
    assert.ok(await enters(sidecast, first.mint()));
    assert.ok(await enters(sidecast, third.mint()));
  }));

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-jwks-'));
const file = path.join(folder, 'sidecast.yaml');
test.after(() => rmSync(folder, { recursive: true }));

function write(jwt) {
  writeFileSync(`${file}.new`, `auth: {jwt: ${JSON.stringify(jwt)}}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function reload(sidecast, jwt) {
  const from = sidecast.log.length;
  write(jwt);
  process.kill(sidecast.pids.self, 'SIGHUP');
  await until(() => sidecast.log.slice(from).split('reloaded the configuration').length === 3,
    bound(2000), () => sidecast.log.slice(-2000));
}

const with_jwt = (jwt, body) => async (t) => {
  answer = { keys: [first.jwk, rsa.jwk] };
  write(jwt);
  await with_sidecast({ args: ['-c', file] }, body)(t);
};

test('a reload applies the algorithms to the keys of the address too',
  with_jwt({ jwks_url: url, algorithms: 'HS256,RS256' }, async (sidecast) => {
    assert.ok(await enters(sidecast, rsa.mint()));
    assert.ok(!await enters(sidecast, first.mint()));
    await reload(sidecast, { jwks_url: url, algorithms: 'HS256,ES256' });
    assert.ok(!await enters(sidecast, rsa.mint()));
    assert.ok(await enters(sidecast, first.mint()));
  }));

test('the keys of an address are good until the one that follows it has answered',
  with_jwt({ jwks_url: url }, async (sidecast) => {
    let is_silent = true;
    const waiting = [];
    const say = (response) => response.end(JSON.stringify({ keys: [second.jwk] }));
    const late = http.createServer((_, response) => (is_silent ? waiting.push(response) : say(response)));
    await new Promise((resolve) => late.listen(0, '127.0.0.1', resolve));
    try {
      assert.ok(await enters(sidecast, first.mint()));
      await reload(sidecast, { jwks_url: `http://127.0.0.1:${late.address().port}/` });
      await until(() => waiting.length >= 2, bound(rotated_ms));
      assert.ok(await enters(sidecast, first.mint()));
      is_silent = false;
      waiting.forEach(say);
      await until(async () => enters(sidecast, second.mint()), bound(rotated_ms));
      assert.ok(!await enters(sidecast, first.mint()));
      // That there is none any more is all that has to be known: nobody is waited for.
      await reload(sidecast, { jwks_url: '' });
      assert.ok(!await enters(sidecast, second.mint()));
    } finally {
      late.close();
      late.closeAllConnections();
    }
  }));

test('what is at an address others could speak for is not asked for', () => {
  for (const bad of ['http://id.example.com/jwks', 'http://127.example.com/jwks', 'ftp://127.0.0.1/x', 'https://a:b@id.example.com/', 'jwks']) {
    const done = spawnSync(program, ['gateway', '--set', `auth.jwt.jwks_url=${bad}`], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(done.status, 78, `${bad}: ${done.stderr}`);
    assert.match(done.stderr, /auth\.jwt\.jwks_url/);
  }
});
