// create_secrets: the examples start by one command each, on nothing but their folders; what
// the start makes is good, private and never made anew, and where it cannot be made nothing starts.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { connect } from './lib/clients.mjs';
import { program, sanitizer_report, start } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const wait_ms = bound(4000);
const no_secrets = { SIDECAST_PUBLISHER_API_KEYS: undefined, SIDECAST_AUTH_JWT_HMAC_SECRET: undefined };
const named = { jwt: 'secrets/jwt.key', api: 'secrets/api.keys' };
const small = `create_secrets: on
publisher: {api_keys_file: ${named.api}}
auth: {jwt: {hmac_secret_file: ${named.jwt}}}
`;

// Of each example: whose token, what its client says first, and an event that reaches it.
const examples = {
  quickstart: { claims: { name: 'Ada', projects: [7] }, event: 'task.moved', room: 'project:7', data: { project: 7, task: 1, to: 'done', by: 'Ada' } },
  village: {
    claims: { id: 1, roles: [], perms: [] }, says: ['join_village', { village_id: 4 }],
    event: 'work_stream', room: 'village:4', data: { villageId: 4, message: 'new here', ts: 1 },
  },
  agents: {
    claims: { email: 'a@example.com', role: 'dev', token_type: 'access' }, says: ['subscribe', { room: 'project:p1' }],
    event: 'project.deleted', room: 'project:p1', data: { project_id: 'p1', project_name: 'One', deleted_by: 'u1' },
  },
  programs: {
    claims: { active: true, role: 'editor', programs: [7] }, event: 'comment:deleted', room: 'program:7',
    data: { programId: 7, requestId: 1, data: { commentId: 1 }, performedBy: { userId: 'u1', name: 'Ada' } },
  },
  notifications: {
    claims: { id: 123 }, says_who: (token) => ['auth', { userId: '123', jwt: `bearer ${token}` }],
    event: 'notification', users: ['123'], data: { title: { he: 'א', en: 'A' }, body: { he: 'ב', en: 'B' } },
  },
};

function with_folder(body) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-secrets-'));
    const put = (name, text) => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    try {
      await body(put, folder, t);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

function run(args, env = {}) {
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SIDECAST_')));
  const done = spawnSync(program, args, { env: { ...plain, ...env }, encoding: 'utf8', timeout: 30_000 });
  assert.doesNotMatch(done.stderr, sanitizer_report);
  return { code: done.status, out: done.stdout, err: done.stderr };
}

const read = (folder, name) => readFileSync(path.join(folder, name), 'utf8');
const key_in = (folder) => read(folder, named.api).match(/sk_[\w-]{43}$/m)[0];
const both = (folder) => [read(folder, named.jwt), read(folder, named.api)];
const mode_of = (file) => (statSync(file).mode & 0o777).toString(8);

async function serve(folder, body) {
  const sidecast = await start({ args: ['--config', path.join(folder, 'sidecast.yaml')], env: no_secrets });
  try {
    sidecast.key = key_in(folder);
    await body(sidecast);
    await sidecast.stop();
    assert.doesNotMatch(sidecast.log, /^\S+ (warn|error) /m);
    for (const secret of [read(folder, named.jwt), key_in(folder)])
      assert.ok(!sidecast.log.includes(secret), 'no secret is logged');
    return sidecast.log;
  } finally {
    sidecast.kill();
    sidecast.forget();
  }
}

async function one_event_arrives(sidecast, folder, { claims, says, says_who, event, room, users, data }) {
  const words = Object.entries(claims).flatMap(([name, value]) => ['--claim', `${name}=${JSON.stringify(value)}`]);
  const minted = run(['gentoken', '-c', path.join(folder, 'sidecast.yaml'), '--user', 'u1', ...words]);
  assert.equal(minted.code, 0, minted.err);
  const token = minted.out.trim();
  const socket = await connect(sidecast, { token });
  if (says)
    await socket.timeout(wait_ms).emitWithAck(...says);
  if (says_who) {
    socket.emit(...says_who(token));
    await until(() => socket.received.some(([name]) => name === 'auth_success'), wait_ms);
  }
  if (room) {
    const done = run(['publish', '-c', path.join(folder, 'sidecast.yaml'), '--url', sidecast.publisher, room, event, JSON.stringify(data)],
      { SIDECAST_API_KEY: sidecast.key });
    assert.equal(done.code, 0, done.err);
  } else { // by the system's own route
    const answer = await sidecast.publish({ userIds: users, notification: data });
    assert.equal(answer.status, 200, answer.text);
  }
  await until(() => socket.received.some(([name]) => name === event), wait_ms, () => JSON.stringify(socket.received));
  socket.close();
}

const folders = readdirSync(path.join(root, 'examples')).filter((name) => existsSync(path.join(root, 'examples', name, 'contracts')));
for (const name of folders)
  test(`examples/${name} starts by one command, and what it makes is good`, with_folder(async (put, folder) => {
    const row = examples[name] ?? assert.fail(`how does one listen to ${name}? Add a row`);
    cpSync(path.join(root, 'examples', name), folder, { recursive: true, filter: (from) => path.basename(from) !== 'secrets' });
    const checked = run(['check-config', path.join(folder, 'sidecast.yaml')]);
    assert.deepEqual([checked.code, checked.err], [0, ''], 'neither fault nor warning');
    assert.ok(!existsSync(path.join(folder, 'secrets')), 'to check makes nothing');

    const log = await serve(folder, (sidecast) => one_event_arrives(sidecast, folder, row));
    assert.equal(log.match(/ made a secret /g).length, 2, log);
    for (const file of Object.values(named)) {
      assert.ok(log.includes(path.join(folder, file)), file);
      assert.equal(mode_of(path.join(folder, file)), '600');
    }
    assert.equal(mode_of(path.join(folder, 'secrets')), '700');
    assert.deepEqual(readdirSync(path.join(folder, 'secrets')), ['api.keys', 'jwt.key'], 'no draft is left');
    assert.match(read(folder, named.jwt), /^[\w-]{86}$/);
    assert.match(read(folder, named.api), /^backend:\n {2}key: sk_[\w-]{43}\n {2}scopes: \[publish\]\n$/m);
    const made = both(folder);
    const again = await serve(folder, (sidecast) => one_event_arrives(sidecast, folder, row));
    assert.doesNotMatch(again, /made a secret/);
    assert.deepEqual(both(folder), made);
  }));

test('without the switch nothing is made, and the missing file is a fault', with_folder((put, folder) => {
  const file = put('sidecast.yaml', small.replace('on', 'off'));
  for (const command of [['check-config', file], ['serve', '-c', file]]) {
    const { code, err } = run(command);
    assert.equal(code, 78, err);
    assert.match(err, /auth\.jwt\.hmac_secret_file: .*No such file/);
  }
  assert.deepEqual(readdirSync(folder), ['sidecast.yaml']);
}));

test('where a secret cannot be made nothing starts, and a sentence says why', with_folder((put, folder) => {
  const file = put('sidecast.yaml', small.replaceAll('secrets/', 'not/there/'));
  for (const role of ['serve', 'publisher', 'gateway']) {
    const { code, out, err } = run([role, '-c', file]);
    assert.deepEqual([code, out], [78, ''], err);
    assert.match(err, /auth\.jwt\.hmac_secret_file: create_secrets cannot make \S+not\/there\/jwt\.key: No such file or directory/);
    assert.match(err, /2 errors, nothing started \(exit 78\)\n$/);
  }
  assert.deepEqual(readdirSync(folder), ['sidecast.yaml']);
}));

test('a file that is there is taken as it is, though it is empty', with_folder((put, folder) => {
  const file = put('sidecast.yaml', small);
  mkdirSync(path.join(folder, 'secrets'), { mode: 0o755 });
  put(named.jwt, '');
  const { code, err } = run(['serve', '-c', file]);
  assert.equal(code, 78);
  assert.match(err, /hmac_secret_file: .*there is nothing in it/);
  assert.equal(read(folder, named.jwt), '');
  assert.equal(mode_of(path.join(folder, 'secrets')), '755');
}));

test('roles that start at once agree on one secret', with_folder(async (put, folder) => {
  const file = put('sidecast.yaml', small);
  const nowhere = 'gateway.listen=192.0.2.1:7410'; // which comes after the secrets, and ends it
  const rivals = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    const child = spawn(program, ['gateway', '-c', file, '--id', `g${i}`, '--set', nowhere, '--set', `run_dir=${folder}/run`], {
      env: { ...process.env, ...no_secrets }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000,
    });
    let said = '';
    child.stderr.on('data', (data) => { said += data; });
    await once(child, 'close');
    return said;
  }));
  const all = rivals.join('\n');
  for (const key of ['auth.jwt.hmac_secret_file', 'publisher.api_keys_file'])
    assert.equal(all.split(` made a secret key=${key} `).length, 2, all);
  assert.doesNotMatch(all, /nothing started|hmac_secret_file:/);
  for (const said of rivals)
    assert.match(said, /192\.0\.2\.1/);
  assert.deepEqual(readdirSync(path.join(folder, 'secrets')), ['api.keys', 'jwt.key']);
}));

test('a reload makes none', with_folder(async (put, folder) => {
  put('sidecast.yaml', small);
  const sidecast = await start({ args: ['--config', path.join(folder, 'sidecast.yaml')], env: no_secrets });
  try {
    rmSync(path.join(folder, named.jwt));
    process.kill(sidecast.pids.self, 'SIGHUP');
    await until(() => sidecast.log.includes('not reloaded: the configuration has faults'), wait_ms, () => sidecast.log);
    assert.deepEqual(readdirSync(path.join(folder, 'secrets')), ['api.keys']);
    await sidecast.stop();
  } finally {
    sidecast.kill();
    sidecast.forget();
  }
}));
