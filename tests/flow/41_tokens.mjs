// Tokens signed with public keys, on all three doors: Socket.IO, native and the publisher. The
// keys change under the running server, and what is forged stays outside.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import WebSocket from 'ws';
import { connect, native_raw } from './lib/clients.mjs';
import { program, random_text, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const rotated_ms = 1000;
const day_s = 24 * 3600;
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-keys-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

// alg → what makes the key pair, and how Node signs with it.
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const algorithms = {
  RS256: [['rsa', { modulusLength: 2048 }], 'sha256', {}],
  PS256: [['rsa', { modulusLength: 2048 }], 'sha256', pss],
  ES256: [['ec', { namedCurve: 'P-256' }], 'sha256', { dsaEncoding: 'ieee-p1363' }],
  ES512: [['ec', { namedCurve: 'P-521' }], 'sha512', { dsaEncoding: 'ieee-p1363' }],
  EdDSA: [['ed25519', {}], null, {}],
};

class Key {
  constructor(kid, alg) {
    const [pair, hash, options] = algorithms[alg];
    Object.assign(this, { kid, alg, hash, options, ...generateKeyPairSync(...pair) });
  }

  get jwk() {
    return { kid: this.kid, alg: this.alg, use: 'sig', ...this.publicKey.export({ format: 'jwk' }) };
  }

  get pem() {
    return this.publicKey.export({ type: 'spki', format: 'pem' });
  }

  // `header` and `claims` override what a good token has.
  mint(claims = {}, header = {}) {
    const text = unsigned({ alg: this.alg, kid: this.kid, typ: 'JWT', ...header }, claims);
    return `${text}.${sign(this.hash, text, { key: this.privateKey, ...this.options }).toString('base64url')}`;
  }
}

function unsigned(header, claims = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  return `${part(header)}.${part({ sub: 'alice', rooms: ['**'], exp, ...claims })}`;
}

const backend = { aud: 'sidecast:publish', scope: 'publish' };

// Written beside it and renamed, as an operator should.
function write_jwks(file, content) {
  const text = typeof content === 'string' ? content : JSON.stringify({ keys: content });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

// Each door: may this token come in? The reason when not.
const doors = {
  async socketio(sidecast, token) {
    try {
      (await connect(sidecast, { token })).close();
      return 'in';
    } catch (error) {
      return error.data?.reason ?? error.message;
    }
  },
  async native(sidecast, token) {
    const client = native_raw(sidecast, { query: `?token=${token}` });
    await until(() => client.refused?.is_whole || client.closed || client.frames.length, 5000);
    client.close();
    if (client.refused)
      assert.equal(client.refused.headers['www-authenticate'], 'Bearer error="invalid_token"');
    return client.refused ? 'invalid' : 'in';
  },
  async publisher(sidecast, token) {
    const answer = await sidecast.publish({ event: 'e', room: 'r', data: 1 },
      { authorization: `Bearer ${token}` });
    if (answer.status === 401)
      assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
    return answer.status === 202 ? 'in' : answer.status === 401 ? 'invalid' : answer.text;
  },
};

async function assert_doors(sidecast, what, wanted, mint) {
  for (const [name, enter] of Object.entries(doors))
    assert.equal(await enter(sidecast, mint(name === 'publisher' ? backend : {})), wanted,
      `${what} at the ${name} door`);
}

const set_of = (keys) => Object.keys(algorithms).map((alg) => new Key(`${keys}-${alg}`, alg));
const jwks = path.join(folder, 'jwks.json');
const pem = path.join(folder, 'pem.pem');
const issued = set_of('k');
const from_pem = new Key('from-pem', 'ES256');
write_jwks(jwks, issued.map((key) => key.jwk));
writeFileSync(pem, from_pem.pem);
const settings = [`auth.jwt.jwks_file=${jwks}`, `auth.jwt.keys=from-pem:ES256:${pem}`];

test('tokens of every key family open all three doors, and forged ones none',
  with_sidecast({ set: settings }, async (sidecast) => {
    for (const key of [...issued, from_pem])
      await assert_doors(sidecast, key.alg, 'in', (claims) => key.mint(claims));

    const file = path.join(folder, 'private.pem');
    for (const key of [issued[0], issued.at(-1)]) {
      writeFileSync(file, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const minted = spawnSync(program, ['gentoken', '--user', 'alice', '--key-file', file,
        '--alg', key.alg, '--kid', key.kid], { encoding: 'utf8', timeout: 20_000 });
      assert.equal(await doors.socketio(sidecast, minted.stdout.trim()), 'in', minted.stderr);
    }

    const [rsa, , ec] = issued;
    const stranger = new Key(rsa.kid, 'RS256');
    const hmac = (text, secret) => `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    const forged = {
      'alg none': (claims) => `${unsigned({ alg: 'none' }, claims)}.`,
      'alg none and a signature': (claims) => rsa.mint(claims, { alg: 'none' }),
      'signed with the PEM': (claims) => hmac(unsigned({ alg: 'HS256', kid: rsa.kid }, claims), rsa.pem),
      'signed with the PEM, no kid': (claims) => hmac(unsigned({ alg: 'HS256' }, claims), rsa.pem),
      'a stranger\'s key': (claims) => stranger.mint(claims),
      'a stranger\'s key, sent along': (claims) => stranger.mint(claims, { jwk: stranger.jwk }),
      'another key\'s name': (claims) => ec.mint(claims, { kid: 'from-pem' }),
      'an unknown kid': (claims) => rsa.mint(claims, { kid: '../../dev/null' }),
      'an extension': (claims) => rsa.mint(claims, { crit: ['exp'] }),
      'no end': (claims) => rsa.mint({ ...claims, exp: undefined }),
      'an end as text': (claims) => rsa.mint({ ...claims, exp: '9999999999' }),
      'an end in years': (claims) => rsa.mint({ ...claims, exp: Math.floor(Date.now() / 1000) + 365 * day_s }),
      'an admin\'s audience': (claims) => rsa.mint({ ...claims, aud: 'sidecast:admin' }),
    };
    for (const [what, mint] of Object.entries(forged))
      await assert_doors(sidecast, what, 'invalid', mint);
    assert.equal(await doors.publisher(sidecast, rsa.mint()), 'invalid', 'a client\'s token publishes');
    assert.equal(await doors.socketio(sidecast, rsa.mint(backend)), 'invalid', 'a backend\'s token connects');
  }));

test('keys rotate under a running server; a broken file changes nothing',
  with_sidecast({ set: settings }, async (sidecast) => {
    const [old_key] = issued;
    const new_key = new Key('next', 'EdDSA');
    const enters = async (key, wanted) => (await doors.socketio(sidecast, key.mint())) === wanted;
    const same_token = old_key.mint();
    const backend_token = old_key.mint(backend);

    assert.equal(await doors.socketio(sidecast, same_token), 'in');
    assert.equal(await doors.publisher(sidecast, backend_token), 'in');
    const standing = await connect(sidecast, { token: same_token });
    assert.ok(await enters(new_key, 'invalid'), 'a key that is not there yet');

    write_jwks(jwks, [...issued, new_key].map((key) => key.jwk));
    await until(() => enters(new_key, 'in'), bound(rotated_ms), () => 'the new key is not taken');
    assert.equal(await doors.socketio(sidecast, same_token), 'in', 'the old key beside the new one');

    const errors = () => sidecast.log.split('\n').filter((line) => line.includes('keys stay as they were'));
    write_jwks(jwks, '{"keys":[');
    await until(() => errors().length >= 2, bound(rotated_ms), () => 'both processes say what is wrong');
    assert.ok(errors()[0].includes(jwks), errors()[0]);
    assert.ok(await enters(new_key, 'in'), 'the keys from before the broken file');

    write_jwks(jwks, [new_key.jwk]);
    await until(async () => (await doors.socketio(sidecast, same_token)) === 'invalid'
      && (await doors.publisher(sidecast, backend_token)) === 'invalid',
    bound(rotated_ms), () => 'a token that was verified before outlives its key');
    assert.ok(await enters(new_key, 'in'));
    assert.ok(standing.connected, 'a connection that stands is left alone');
    standing.close();

    const reloads = () => sidecast.log.split('\n').filter((line) => line.includes('token keys reloaded')).length;
    const before = reloads();
    process.kill(sidecast.pids.self, 'SIGHUP');
    await until(() => reloads() >= before + 2, bound(rotated_ms), () => 'SIGHUP does not reload');
    assert.equal(errors().length, 2, 'one line for each process and content');
  }));

const secret_file = path.join(folder, 'jwt.key');
const [first_secret, second_secret] = [random_text(32), random_text(32)];
writeFileSync(secret_file, first_secret);

test('the secret in a file rotates, too, and no process has it in its environment',
  with_sidecast({
    env: { SIDECAST_AUTH_JWT_HMAC_SECRET: undefined, SIDECAST_AUTH_JWT_HMAC_SECRET_FILE: secret_file },
  }, async (sidecast) => {
    const enter = (secret) => doors.socketio(sidecast, sidecast.mint({ sub: 'alice' }, { secret }));

    for (const pid of [sidecast.pids.self, sidecast.pids.publisher, ...sidecast.pids.gateways])
      assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(first_secret), 'the environment shows it');
    assert.equal(await enter(first_secret), 'in');
    assert.equal(await enter(second_secret), 'invalid');

    writeFileSync(`${secret_file}.new`, `${second_secret}\n`);
    renameSync(`${secret_file}.new`, secret_file);
    await until(async () => (await enter(second_secret)) === 'in', bound(rotated_ms),
      () => 'the new secret is not taken');
    assert.equal(await enter(first_secret), 'invalid');

    const said = () => sidecast.log.split('\n').filter((line) => line.includes('keys stay as they were'));
    writeFileSync(secret_file, 'changeme');
    await until(() => said().length >= 2, bound(rotated_ms), () => 'both processes say what is wrong');
    assert.match(said()[0], /hmac_secret_file must have at least 32 bytes/);
    assert.equal(await enter(second_secret), 'in', 'the secret from before the broken file');

    // A gateway that dies meanwhile has no keys to begin with: it is tried until it has.
    process.kill(sidecast.pids.gateways[0], 'SIGKILL');
    await until(() => /a child has ended .*code=78/.test(sidecast.log), bound(2000), () => 'no try with the broken file');
    writeFileSync(`${secret_file}.new`, first_secret);
    renameSync(`${secret_file}.new`, secret_file);
    await until(async () => (await enter(first_secret)) === 'in', bound(2000), () => 'serve has given up its gateway');
  }));

test('who has keys for tokens is not told that no client can connect', with_sidecast({
  set: settings, env: { SIDECAST_AUTH_JWT_HMAC_SECRET: undefined },
}, async (sidecast) => {
  await assert_doors(sidecast, 'a key alone', 'in', (claims) => from_pem.mint(claims));
  assert.doesNotMatch(sidecast.log, /no secret|none can connect/);
}));

// Sends `text` a hundred times; gives how often it was refused before the gateway closed.
async function insist(sidecast, greeting, text, is_refusal) {
  const socket = new WebSocket(`${sidecast.gateway.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let refused = 0, greeted = greeting === null;

  socket.on('message', (data) => {
    greeted ||= String(data).startsWith('40');
    refused += is_refusal(String(data));
  });
  await once(socket, 'open');
  if (greeting !== null)
    socket.send(greeting);
  await until(() => greeted, 5000);
  for (let i = 0; i < 100; i++)
    socket.send(text(i));
  await until(() => socket.readyState === WebSocket.CLOSED, bound(1000), () => `open after ${refused} refusals`);
  return refused;
}

test('a connection may show ten bad tokens, and they do not fill the log', with_sidecast({}, async (sidecast) => {
  const bad = () => '40{"token":"a.bad.token"}';
  const bad_refresh = (i) => `42${i}["auth:refresh",{"token":"a.bad.token"}]`;
  const greeting = `40{"token":"${sidecast.token}"}`;
  const lines_per_second = 100, crowd = 40, began = Date.now();

  assert.equal(await insist(sidecast, greeting, bad_refresh, (text) => text.startsWith('43')), 10);
  for (const refused of await Promise.all(Array.from({ length: crowd }, () =>
    insist(sidecast, null, bad, (text) => text.startsWith('44')))))
    assert.equal(refused, 10);

  const most = lines_per_second * (Math.ceil((Date.now() - began) / 1000) + 1);
  const lines = () => sidecast.log.split('\n').filter((line) => line.includes('client refused')).length;
  await until(() => lines() >= lines_per_second, bound(1000));
  assert.ok(lines() <= most, `${lines()} lines, ${most} are the most`);
}));

test('key settings that cannot work are one sentence and exit 78', () => {
  const file = (name, text) => {
    const at = path.join(folder, name);
    writeFileSync(at, text);
    return at;
  };
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const spki = (key) => key.export({ type: 'spki', format: 'pem' });
  const locked = issued[0].privateKey.export({
    type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'a passphrase',
  });
  const pkcs8 = issued[0].privateKey.export({ type: 'pkcs8', format: 'pem' });
  const rows = [
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET: 'changeme' }, /hmac_secret must have at least 32 bytes/],
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET: 'changeme'.repeat(5) }, /hmac_secret is a sample/],
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET: `\n ${issued[0].pem}` }, /hmac_secret is a key of another kind/],
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET_FILE: file('short', 'changeme') }, /hmac_secret_file must have at least 32/],
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET_FILE: '/nowhere.key' }, /hmac_secret: cannot read \/nowhere\.key: No such file/],
    [{ SIDECAST_AUTH_JWT_HMAC_SECRET: first_secret, SIDECAST_AUTH_JWT_HMAC_SECRET_FILE: secret_file }, /both set/],
    [{ SIDECAST_AUTH_JWT_JWKS_FILE: '/dev/null' }, /jwks_file: \/dev\/null: it is no regular file/],
    [{ SIDECAST_AUTH_JWT_ALGORITHMS: 'RS256,none' }, /algorithms: "none" is none of/],
    [{ SIDECAST_AUTH_JWT_KEYS: 'k1:RS256:/nowhere.pem' }, /nowhere\.pem: No such file/],
    [{ SIDECAST_AUTH_JWT_KEYS: `k1:RS256:${file('small', spki(small.publicKey))}` }, /less than 2048 bits/],
    [{ SIDECAST_AUTH_JWT_KEYS: `k1:ES384:${file('curve', from_pem.pem)}` }, /another curve/],
    [{ SIDECAST_AUTH_JWT_KEYS: `k1:RS256:${file('private', pkcs8)}` }, /private key/],
    [{ SIDECAST_AUTH_JWT_KEYS: `k1:RS256:${file('locked', locked)}` }, /private key/],
    [{ SIDECAST_AUTH_JWT_KEYS: `a:ES256:${pem},a:ES256:${pem}` }, /another key has already/],
    [{ SIDECAST_AUTH_JWT_JWKS_FILE: file('empty', '{"keys":[{"kty":"oct"}]}') }, /no key that can be used/],
    [{ SIDECAST_AUTH_JWT_AUDIENCE: 'sidecast:publish' }, /audience is one of the backends'/],
  ];
  for (const [env, wanted] of rows) {
    const { status, stderr } = spawnSync(program, ['serve', '--json', '--port', '0'], {
      env: { ...process.env, ...env }, encoding: 'utf8', timeout: 20_000,
    });
    assert.equal(status, 78, stderr);
    assert.match(stderr, wanted);
    assert.match(stderr, /^[^\n]*\n1 error, nothing started \(exit 78\)\n$/);
  }
});
