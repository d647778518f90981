// A configuration file: what it says holds, what is wrong with it is all told at once with
// its place, and nothing starts then.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { generator, mutate, whole } from './lib/config_mutants.mjs';
import { updates_docs } from './lib/settings.mjs';
import { program, random_text, sanitizer_report, with_sidecast } from './lib/sidecast.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const key = `sk_${'k'.repeat(43)}`;

function run(args, { env = {}, cwd, input } = {}) {
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SIDECAST_')));
  const done = spawnSync(program, args, {
    env: { ...plain, ...env }, cwd, input, encoding: 'utf8', timeout: 30_000,
  });
  assert.doesNotMatch(done.stderr, sanitizer_report);
  return { code: done.status, out: done.stdout, err: done.stderr };
}

function with_folder(body) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-config-'));
    const put = (name, text) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
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

const values = (text) => Object.fromEntries(JSON.parse(text).map((row) => [row.key, row]));

test('all that is wrong is told at once, with lines, marks and nearest words', with_folder((put) => {
  const file = put('sidecast.yaml', `allowed_origns: ["https://app.example.com"]
gateway:
  ping_interval: 25
  ping_timeout: [1s]
rooms:
  - match: "project:*"
    alow: any
hooks: {crm: {}}
`);
  for (const command of [['check-config', file], ['serve', '-c', file], ['publisher', '--config', file],
    ['gateway', '-c', file], ['demo', '-c', file]]) {
    const { code, out, err } = run(command);
    assert.equal(code, 78, command.join(' '));
    assert.equal(out, '');
    assert.equal(err, `${file}:1:1: unknown key "allowed_origns"
    1 | allowed_origns: ["https://app.example.com"]
      | ^^^^^^^^^^^^^^ did you mean "allowed_origins"?
${file}:3:18: gateway.ping_interval: 25 what? write 25s or 25ms
    3 |   ping_interval: 25
      |                  ^^
${file}:4:17: gateway.ping_timeout must be one value
    4 |   ping_timeout: [1s]
      |                 ^
${file}:7:5: unknown key "alow" in rooms[]
    7 |     alow: any
      |     ^^^^ did you mean "allow"?
${file}:8:1: hooks is not built yet
    8 | hooks: {crm: {}}
      | ^^^^^
5 errors, nothing started (exit 78)
`);
  }
}));

test('check-config --json tells the same to programs', with_folder((put) => {
  const bad = put('bad.yaml', 'gatway: {}\n');
  const told = JSON.parse(run(['checkconfig', '--json', bad]).out);
  assert.deepEqual(told, {
    ok: false,
    errors: [{ file: bad, line: 1, column: 1, message: 'unknown key "gatway"', hint: 'did you mean "gateway"?' }],
    warnings: [],
  });
  const good = put('good.yaml', 'ops: {listen: "0.0.0.0:7412"}\n');
  const { code, out } = run(['check-config', '--json', good]);
  const { ok, errors, warnings } = JSON.parse(out);
  assert.deepEqual([code, ok, errors], [0, true, []]);
  assert.ok(warnings.some((w) => w.line === 1 && w.column === 15 && /^ops\.listen: /.test(w.message)), out);
}));

test('what is allowed but unsafe is a warning', with_folder((put) => {
  const file = put('sidecast.yaml', `allowed_origins: ["insecure:*"]
trusted_proxies: [0.0.0.0/0]
publisher: {listen: "0.0.0.0:7411", api_keys: [${key}]}
ops: {listen: "[::]:7412"}
gateway: {listen: "0.0.0.0:7410"}
auth: {mode: none, jwt: {max_ttl: 0s}}
`);
  chmodSync(file, 0o644);
  const { code, out, err } = run(['check-config', file]);
  assert.equal(code, 0);
  assert.equal(out, `${file} is good\n`);
  const warned = [...err.matchAll(/^warning: [^\n]*sidecast\.yaml:(\d+):\d+: ([a-z_.]+): /gm)].map(([, line, name]) => `${line} ${name}`);
  assert.deepEqual(warned, ['1 allowed_origins', '2 trusted_proxies', '3 publisher.listen', '3 publisher.api_keys',
    '4 ops.listen', '6 auth.mode', '6 auth.jwt.max_ttl']);
  assert.doesNotMatch(err, /kkkk/);
  assert.doesNotMatch(run(['check-config', '--quiet', file]).err, /warning/);
}));

test('coming back cannot be asked for where clients say later who they are', with_folder((put) => {
  const event = "auth: {mode: event, event: {name: auth, token: '{args.0}'}}\nrecovery: {window: 5m}\n";
  const warned = run(['check-config', put('window.yaml', event)]);
  assert.equal(warned.code, 0, warned.err);
  assert.match(warned.err, /^warning: .*window\.yaml:2:20: recovery\.window: with auth\.mode: event nobody comes back/m);
  const refused = run(['check-config', put('on.yaml', `${event}namespaces: {/: {recovery: on}}\n`)]);
  assert.equal(refused.code, 78);
  assert.match(refused.err, /on\.yaml:3:28: with auth\.mode: event nobody comes back/);
}));

test('a past that the log does not keep is a warning', with_folder((put) => {
  const past = (age) => `log: {keep: {age: ${age}}}
catchup: {from: '{auth.since}', ttl: 2h}
rooms:
  - {match: 'a:*', allow: token, history: {ttl: 1h}}
  - {match: 'b:*', allow: token, history: {ttl: 61m}}
`;
  const warned = (file) => [...run(['check-config', file]).err.matchAll(/:(\d+:\d+): ([a-z_.[\]]+): older events/g)]
    .map(([, at, name]) => `${at} ${name}`);
  assert.deepEqual(warned(put('short.yaml', past('1h'))), ['2:38 catchup.ttl', '5:49 rooms[].history.ttl']);
  assert.deepEqual(warned(put('long.yaml', past('2h'))), []);
}));

test('a session that outlives its events is a warning', with_folder((put) => {
  const warned = (text) => [...run(['check-config', put('sidecast.yaml', text)]).err
    .matchAll(/^warning: [^\n]*sidecast\.yaml:(\d+:\d+): (recovery\.window: events are gone [^\n]*)/gm)].map(([, at, words]) => `${at} ${words}`);
  const words = 'recovery.window: events are gone from the log before the session is: log.keep.age is shorter';
  assert.deepEqual(warned('recovery: {window: 6m}\n'), [`1:20 ${words}`]);
  assert.deepEqual(warned('log: {keep: {age: 119s}}\n'), [`1:19 ${words}`], 'where the window is not in the file');
  assert.deepEqual(warned('log: {keep: {age: 1m}}\nrecovery: {window: 61s}\n'), [`2:20 ${words}`]);
  assert.deepEqual(warned('log: {keep: {age: 6m}}\nrecovery: {window: 6m}\n'), []);
  assert.deepEqual(warned('log: {keep: {age: 1m}}\nnamespaces: {/: {recovery: off}}\n'), [], 'nobody comes back');
  const event = "auth: {mode: event, event: {name: auth, token: '{args.0}'}}\nlog: {keep: {age: 1m}}\n";
  assert.deepEqual(warned(event), [], 'nobody comes back');
}));

test('secrets and keys that no process could use are faults of check-config, too', with_folder((put) => {
  const file = put('sidecast.yaml', 'auth:\n  jwt:\n    hmac_secret: short\npublisher:\n  api_keys: [sk_x]\n');
  const { code, err } = run(['check-config', file]);
  assert.equal(code, 78);
  assert.match(err, /:3:18: auth\.jwt\.hmac_secret .*32 bytes/);
  assert.match(err, /:5:13: publisher\.api_keys: a key is not 'sk_' and 43 characters/);
  assert.doesNotMatch(err, /: short|sk_x/, 'the lines with the secrets are not shown');
}));

test('who needs no key is on this machine, and a file of keys is told of by its places', with_folder((put) => {
  put('api.keys', `ci: {key: ${key}, scopes: [publsh]}\n`);
  const file = put('sidecast.yaml', `publisher: {listen: "0.0.0.0:7411", allow_none: on, api_keys_file: api.keys}
routes:
  - {match: POST /open, do: publish, auth: none, to: r, event: e}
  - {match: GET /health, do: health, auth: none}
public_url: rt.example.com
`);
  const { code, err } = run(['check-config', file]);
  assert.equal(code, 78);
  assert.match(err, /api\.keys:1:\d+: a scope cannot be "publsh": did you mean "publish"/);
  assert.match(err, /sidecast\.yaml:1:\d+: publisher\.allow_none: other machines reach/);
  assert.match(err, /sidecast\.yaml:3:44: auth: none publishes on the loopback only/);
  assert.match(err, /sidecast\.yaml:5:13: public_url is no address/);
  assert.match(err, /^4 errors/m);
  assert.ok(!err.includes(key.slice(3, 20)));
  const shared = ['--set', 'publisher.listen=gateway', '--set', 'public_url=https://rt.example.com', '--set', 'publisher.api_keys_file='];
  assert.equal(run(['check-config', file, ...shared]).code, 0);
  assert.equal(run(['check-config', file, ...shared, '--set', 'gateway.listen=0.0.0.0:7410']).code, 78);
  const asyncapi = JSON.parse(run(['contracts', '--asyncapi', '-c', file, ...shared]).out);
  assert.deepEqual(asyncapi.servers, { public: { url: 'wss://rt.example.com', protocol: 'wss' } });
}));

test('a flag is stronger than the environment, that than the file, that than the default', with_folder((put) => {
  const file = put('sidecast.yaml', 'gateway: {ping_interval: 1s, ping_timeout: 2s, connect_timeout: 3s}\n');
  const { out } = run(['config', '--json', '--set', 'gateway.ping_interval=7s'], {
    env: { SIDECAST_CONFIG: file, SIDECAST_GATEWAY_PING_INTERVAL: '6s', SIDECAST_GATEWAY_PING_TIMEOUT: '5s' },
  });
  const rows = values(out);
  const told = ['ping_interval', 'ping_timeout', 'connect_timeout', 'count'].map((name) => rows[`gateway.${name}`]);
  assert.deepEqual(told.map((row) => [row.value, row.source]), [
    ['7s', 'flag'], ['5s', 'env'], ['3s', `${file}:1`], ['1', 'default']]);
}));

test('paths start at the folder of the file; secrets come inline, from files and from systemd', with_folder((put, folder) => {
  put('conf/keys/jwt.key', `${'j'.repeat(40)}\n`);
  put('conf/jwks.json', '{"keys":[]}');
  put('creds/publisher.api_keys', key);
  const file = put('conf/sidecast.yaml',
    'auth:\n  jwt:\n    hmac_secret_file: keys/jwt.key\n    jwks_file: jwks.json\nrun_dir: run\n');
  const env = { CREDENTIALS_DIRECTORY: path.join(folder, 'creds') };
  const { out, err } = run(['config', '--json', '-c', 'conf/sidecast.yaml'], { cwd: folder, env });
  const rows = values(out);
  assert.equal(rows['auth.jwt.hmac_secret_file'].value, path.join(folder, 'conf/keys/jwt.key'), err);
  assert.equal(rows['auth.jwt.hmac_secret_file'].source, `${file}:3`);
  assert.deepEqual([rows['publisher.api_keys_file'].value, rows['publisher.api_keys_file'].source],
    [path.join(folder, 'creds/publisher.api_keys'), 'env']);
  assert.equal(rows['auth.jwt.jwks_file'].value, path.join(folder, 'conf/jwks.json'));
  assert.equal(rows.run_dir.value, path.join(folder, 'conf/run'));
  assert.doesNotMatch(out, /jjjj|kkkk/);

  const stronger = values(run(['config', '--json', '-c', file], { env: { SIDECAST_AUTH_JWT_HMAC_SECRET: 'x'.repeat(40) } }).out);
  assert.deepEqual(['auth.jwt.hmac_secret', 'auth.jwt.hmac_secret_file'].map((name) => stronger[name].source), ['env', 'default']);
  const both = put('both.yaml', 'bus: {secret: x, secret_file: y}\n');
  assert.match(run(['check-config', both]).err, /:1:18: bus\.secret_file is here without _file, too: keep one/);
}));

test('an unknown variable of ours is refused, what other systems set is not', with_folder((put) => {
  const file = put('sidecast.yaml', '{}');
  const env = { SIDECAST_GATEWAY_CUONT: '2', SIDECAST_OPS_LISTEN: 'x' };
  const { code, err } = run(['check-config', file], { env });
  assert.equal(code, 78);
  assert.match(err, /^sidecast: unknown variable SIDECAST_GATEWAY_CUONT: did you mean SIDECAST_GATEWAY_COUNT\?$/m);
  assert.match(err, /^sidecast: ops\.listen must be IP:PORT/m);
  assert.match(err, /^2 errors, nothing started \(exit 78\)$/m);
  const others = { SIDECAST_URL: 'x', SIDECAST_API_KEY: 'x', SIDECAST_PORT: 'tcp://x', SIDECAST_PORT_1_TCP: 'x', SIDECAST_SERVICE_HOST: 'x' };
  assert.equal(run(['check-config', file], { env: others }).code, 0);
}));

test('genconfig prints a good file with secrets of its own each time', with_folder((put) => {
  const first = run(['genconfig']).out, second = run(['genconfig']).out;
  assert.notEqual(first, second);
  const { code, out, err } = run(['check-config', put('sidecast.yaml', first)]);
  assert.deepEqual([code, err], [0, ''], out + err);
}));

const served = mkdtempSync(path.join(tmpdir(), 'sidecast-config-'));
const served_file = path.join(served, 'sidecast.yaml');
writeFileSync(served_file, 'gateway: {count: 2, ping_interval: 300ms}\nlog: {keep: {age: 119s}}\n');
test.after(() => rmSync(served, { recursive: true }));

test('serve hands the file on to its children, and what is doubtful in it is said once', with_sidecast({ args: ['-c', served_file] }, async (sidecast) => {
  assert.equal(sidecast.pids.gateways.length, 2);
  const answer = await sidecast.request(`${sidecast.gateway}/livez`);
  assert.equal(answer.status, 200);
  const environment = readFileSync(`/proc/${sidecast.pids.gateways[0]}/environ`, 'utf8').split('\0');
  assert.ok(environment.includes(`SIDECAST_CONFIG=${served_file}`));
  assert.ok(!environment.some((entry) => entry.startsWith('SIDECAST_GATEWAY_PING_INTERVAL=')), 'the file stays the source');
  const { socketio_text } = await import('./lib/clients.mjs');
  const client = await socketio_text(sidecast);
  assert.equal(client.handshake.pingInterval, 300);
  client.close();
  const doubts = sidecast.log.split('\n').filter((line) => line.includes(' warn ') && line.includes('recovery.window'));
  assert.equal(doubts.length, 1, sidecast.log);
  assert.match(doubts[0], /file=\S*sidecast\.yaml line=2 column=19 fault="recovery\.window: events are gone/);
}));

test('100 configurations with faults: each is told with its place, most with the right word', with_folder((put) => {
  assert.equal(run(['check-config', put('whole.yaml', whole())]).code, 0, 'the unspoiled one is good');
  const next = generator(20261121);
  let typos = 0, suggested = 0, started = 0;
  for (let i = 0; i < 100; i++) {
    const { text, faults } = mutate(next, 3);
    const file = put('sidecast.yaml', text);
    const { code, out, err } = run(['serve', '--json', '--port', '0', '-c', file]);
    started += code !== 78 || out !== '';
    const told = new Map();
    for (const [, at, rest] of err.matchAll(/^[^\n]*sidecast\.yaml:(\d+:\d+): ([^\n]*(?:\n +(?:\d+)? \|[^\n]*)*)/gm))
      told.set(at, rest);
    for (const fault of faults) {
      const words = told.get(`${fault.line}:${fault.column}`);
      assert.ok(words !== undefined, `config ${i}: nothing about ${JSON.stringify(fault)}\n${err}\n${text}`);
      typos += fault.kind === 'typo';
      suggested += fault.kind === 'typo' && words.includes(`did you mean "${fault.word}"?`);
    }
    assert.match(err, /^\d+ errors?, nothing started \(exit 78\)$/m);
  }
  assert.equal(started, 0);
  assert.ok(typos > 80, `${typos} typos`);
  assert.ok(suggested >= 0.9 * typos, `${suggested} of ${typos} typos got the right word`);
}));

test('docs/configuration.md has the reference that the program prints', () => {
  const name = path.join(root, 'docs/configuration.md');
  const page = readFileSync(name, 'utf8');
  const wanted = page.replace(/(<!-- sidecast config --markdown -->\n\n)[\s\S]*?(\n<!-- end -->)/,
    (_, before, after) => before + run(['config', '--markdown']).out + after);
  if (updates_docs)
    writeFileSync(name, wanted);
  assert.ok(updates_docs || wanted === page,
    'SIDECAST_UPDATE_DOCS=1 node --test tests/flow/71_config.mjs brings it up to date');
});

test('the reference names what is refused by name, and it is', with_folder((put) => {
  const [, line] = /^Refused by name: (.*)\.$/m.exec(run(['config', '--markdown']).out);
  const names = line.split(', ').map((name) => name.slice(1, -1));
  for (const name of ['hooks', 'connect.hook', 'rooms[].hook', 'bus.redis'])
    assert.ok(names.includes(name), `${name} in ${line}`);
  assert.ok(!names.some((name) => name.startsWith('hooks.')), 'nothing below what is named');
  for (const name of names.filter((each) => !/[[*]/.test(each))) {
    const text = name.split('.').reduceRight((inner, part) => `{${part}: ${inner}}`, 'x');
    assert.match(run(['check-config', put('sidecast.yaml', `${text}\n`)]).err, new RegExp(`: ${name} is not built yet$`, 'm'));
  }
}));

test('the words of a rate that the schema lists are taken', with_folder((put) => {
  const { per, then } = JSON.parse(run(['config', '--schema']).out).properties.limits.properties.rates.additionalProperties.properties;
  for (const [name, { enum: words }] of Object.entries({ per, then })) {
    assert.ok(words.length > 2, name);
    for (const word of words) {
      const { code, err } = run(['check-config', put('sidecast.yaml', `limits: {rates: {a: {rate: 1/s, ${name}: ${word}}}}\n`)]);
      assert.equal(code, 0, err);
    }
  }
}));

test('the schema for editors is JSON Schema with all keys', () => {
  const schema = JSON.parse(run(['config', '--schema']).out);
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.properties.gateway.properties.ping_interval.default, '25s');
  assert.ok(schema.properties.commands.additionalProperties.properties.do.enum.includes('join'));
  assert.equal(schema.properties.hooks, undefined);
});

// Each ```yaml block of the README and the docs is a whole configuration or says that it is not.
const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
for (const page of pages) {
  const blocks = [...readFileSync(path.join(root, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)];
  if (blocks.length > 0)
    test(`the configurations in ${page} are good`, with_folder((put) => {
      put('jwt.key', random_text(32));
      put('api.keys', key);
      mkdirSync(path.join(path.dirname(put('x', '')), 'contracts'), { recursive: true });
      for (const [, text] of blocks) {
        const { code, err } = run(['check-config', '--quiet', put('sidecast.yaml', text)]);
        assert.equal(code, 0, `${err}\n${text}`);
      }
    }));
}

// And so is each example, with the secrets that its README has one make.
for (const name of readdirSync(path.join(root, 'examples'), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name))
  test(`examples/${name} is good`, with_folder((put, folder) => {
    cpSync(path.join(root, 'examples', name), folder, { recursive: true });
    for (const [file] of readFileSync(path.join(folder, 'sidecast.yaml'), 'utf8').matchAll(/secrets\/[\w.]+/g))
      put(file, file.endsWith('api.keys') ? key : random_text(32));
    const { code, err } = run(['check-config', '--quiet', path.join(folder, 'sidecast.yaml')]);
    assert.equal(code, 0, err);
  }));
