// The catalog of events with real processes and clients: a backend says what happened, the
// file says what that must look like, who hears it and what they get.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native, socketio_text } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const wait_ms = 10_000;

const contract = {
  type: 'object',
  required: ['agentId', 'status'],
  properties: {
    agentId: { type: ['string', 'integer'] },
    status: { enum: ['up', 'down'] },
    load: { type: 'number', minimum: 0, maximum: 1 },
  },
  additionalProperties: false,
};

const file = `
contracts: contracts
envelope: {type: "{event}", data: "{payload}", timestamp: "{now.iso}"}
events:
  "agent:update": {to: "agent:{payload.agentId}"}
  raw: {envelope: "{payload}"}
  notification: {to: {users: "{payload.userIds[]}"}, envelope: "{payload.notification}"}
  issue.created: {to: {first: ["project:{payload.project_id}", "user:{payload.user_id}"]}}
  progress: {args: ["{payload.step}", {of: "{payload.total}"}], to: "*", volatile: on}
  "chat:said": {contract: {required: [text], properties: {text: {type: string, maxLength: 5}}}}
  say: {contract: {type: object, properties: {text: {}, loud: {type: boolean}}}}
  both: {contract: {type: array, minItems: 2, items: [{type: string}, {type: integer}]}}
  established: {emit_as: [connection.established, connection_established]}
commands:
  join: {do: join, room: "{args.0}", allow: ["**"]}
  subscribe: {do: join, room: "{args.0.room}", allow: ["**"]}
  say: {do: relay, room: lobby, as: "chat:said", payload: {text: "{args.0.text}"}, member: false}
  both: {do: ack}
`;

// A folder with the file and its contracts, as long as the tests of this script run.
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-events-'));
mkdirSync(path.join(folder, 'contracts'));
writeFileSync(path.join(folder, 'sidecast.yaml'), file);
writeFileSync(path.join(folder, 'contracts/agent%3Aupdate.schema.json'), JSON.stringify(contract));
test.after(() => rmSync(folder, { recursive: true }));

const options = { args: ['--config', path.join(folder, 'sidecast.yaml')] };

async function accepted(sidecast, body) {
  const answer = await sidecast.publish(body);
  assert.equal(answer.status, 202, answer.text);
  return answer.json;
}

const heard = (socket, count) =>
  until(() => socket.received.length >= count && socket.received, wait_ms, () => JSON.stringify(socket.received));

test('an event finds its room by its payload and comes in its envelope', with_sidecast(options, async (sidecast) => {
  const socket = await connect(sidecast, { rooms: ['agent:7'] });
  const other = await connect(sidecast, { rooms: ['agent:8'] });
  const plain = await native(sidecast, { rooms: ['agent:7'] });
  const before = Date.now();

  const answer = await accepted(sidecast, { event: 'agent:update', data: { agentId: 7, status: 'up' } });
  assert.deepEqual(answer.rooms, ['agent:7']);
  assert.equal(answer.recipients, 2);
  const [[name, envelope]] = await heard(socket, 1);
  assert.equal(name, 'agent:update');
  assert.equal(envelope.type, 'agent:update');
  assert.deepEqual(envelope.data, { agentId: 7, status: 'up' });
  assert.ok(Date.parse(envelope.timestamp) >= before - 1 && Date.parse(envelope.timestamp) <= Date.now() + 1);
  const message = await plain.message((m) => m.t === 'event');
  assert.deepEqual(message.data, envelope);

  await accepted(sidecast, { event: 'agent:update', room: 'agent:8', data: { agentId: 7, status: 'down' } });
  assert.equal((await heard(other, 1))[0][1].data.status, 'down');
  assert.equal(socket.received.length, 1);
  socket.close();
  other.close();
  plain.close();
}));

test('the inner bytes of an envelope are the publisher\'s', with_sidecast(options, async (sidecast) => {
  const client = await socketio_text(sidecast, { rooms: ['agent:7'] });

  await accepted(sidecast, '{"event":"agent:update","data":{ "agentId":7,"status":"\\u0075p" ,"load":1.0e-1}}');
  const frame = String(await client.find((f) => String(f).includes('agent:update')));
  assert.match(frame, /^42\["agent:update",\{"type":"agent:update","data":\{ "agentId":7,"status":"\\u0075p" ,"load":1\.0e-1\},"timestamp":"[0-9TZ.:-]+"\}/);
  client.close();
}));

test('what breaks its contract is refused with every place in it', with_sidecast(options, async (sidecast) => {
  const answer = await sidecast.publish({ event: 'agent:update', data: { agentId: 'x', status: 'odd', load: 2, note: 1 } });

  assert.equal(answer.status, 422);
  assert.equal(answer.json.code, 'E_BAD_PAYLOAD');
  assert.deepEqual(answer.json.errors.map((e) => [e.pointer, e.expected]), [
    ['/data/status', 'enum'], ['/data/load', 'maximum'], ['/data/note', 'additionalProperties'],
  ]);
  const unknown = await sidecast.publish({ event: 'agent:updat', room: 'x' });
  assert.equal(unknown.status, 422);
  assert.equal(unknown.json.code, 'E_UNKNOWN_EVENT');
  assert.match(unknown.json.detail, /did you mean "agent:update"/);
  const metrics = await sidecast.request(`${sidecast.ops}/metrics`);
  assert.match(metrics.text, /^sidecast_contract_refused_total 1$/m);
  assert.match(sidecast.log, /publish refused by contract.*event=agent:update.*pointer=\/data\/status/);
}));

test('users, the first that fits, arguments and several names', with_sidecast(options, async (sidecast) => {
  const anna = await connect(sidecast, { token: sidecast.mint({ sub: 'anna', rooms: ['**'] }) });
  const ben = await connect(sidecast, { token: sidecast.mint({ sub: '17', rooms: ['**'] }), rooms: ['project:5'] });
  const notification = { title: { he: '\u05e9\u05dc\u05d5\u05dd', en: 'hello' } };

  await accepted(sidecast, { event: 'notification', data: { userIds: ['anna', 17], notification } });
  await accepted(sidecast, { event: 'issue.created', data: { user_id: 'anna', project_id: 5 } });
  await accepted(sidecast, { event: 'issue.created', data: { user_id: 'anna' } });
  await accepted(sidecast, { event: 'progress', data: { step: 2, total: 4 } });
  await accepted(sidecast, { event: 'established', user: 'anna', data: { id: 1 } });
  await accepted(sidecast, { event: 'raw', all: true, data: [1] });

  const by_anna = await heard(anna, 6);
  const by_ben = await heard(ben, 4);
  assert.deepEqual(by_anna.map(([name]) => name), ['notification', 'issue.created', 'progress',
    'connection.established', 'connection_established', 'raw']);
  assert.deepEqual(by_ben.map(([name]) => name), ['notification', 'issue.created', 'progress', 'raw']);
  assert.deepEqual(by_anna[0][1], notification);
  assert.deepEqual(by_anna[2].slice(1, 3), [2, { of: 4 }]);
  assert.equal(by_anna[3][1].type, 'established');
  assert.deepEqual(by_anna[3][1].data, { id: 1 });
  assert.deepEqual(by_anna[4].slice(1, 2), by_anna[3].slice(1, 2));
  assert.deepEqual(by_ben[1][1].data, { user_id: 'anna', project_id: 5 });
  assert.deepEqual(by_ben[3][1], [1]);
  anna.close();
  ben.close();
}));

test('the same contracts guard what clients send', with_sidecast(options, async (sidecast) => {
  const socket = await connect(sidecast, { rooms: ['lobby'] });
  const plain = await native(sidecast);
  const ask = (...args) => socket.timeout(wait_ms).emitWithAck(...args);

  plain.send('{"t":"subscribe","room":"lobby","n":1}');
  await plain.message((m) => m.t === 'ack' && m.n === 1);
  assert.equal((await ask('say', { text: 'hello' })).ok, true);
  const { data } = await plain.message((m) => m.t === 'event');
  assert.deepEqual([data.type, data.data], ['chat:said', { text: 'hello' }]); // in the envelope of all events

  // What comes in by the name of a contract, what goes out by one, and several arguments.
  for (const [event, args, said] of [
    ['say', [{ text: 'hi', loud: 1 }], '/loud must be a boolean'],
    ['say', [], 'the payload is missing'],
    ['say', [{ text: 'too long' }], '/text must have at most 5 characters'],
    ['say', [{ text: 7 }], '/text must be a string'],
    ['both', ['a', 1.5], '/1 must be a whole number'],
    ['both', ['a'], 'must be an array'],
  ]) {
    const answer = await ask(event, ...args);
    assert.equal(answer.ok, false, said);
    assert.equal(answer.error, 'E_BAD_PAYLOAD');
    assert.ok(answer.message.includes(said), answer.message);
  }
  assert.equal((await ask('both', 'a', 1)).ok, true);
  plain.send('{"t":"emit","event":"say","data":{"text":7},"n":9}');
  assert.equal((await plain.message((m) => m.t === 'ack' && m.n === 9)).data.error, 'E_BAD_PAYLOAD');
  assert.equal(plain.messages.filter((m) => m.t === 'event').length, 1);
  socket.close();
  plain.close();
}));

test('a contract that has changed holds after SIGHUP, and a broken one never', with_sidecast(options, async (sidecast) => {
  const name = path.join(folder, 'contracts/agent%3Aupdate.schema.json');
  const full = { event: 'agent:update', data: { agentId: 1, status: 'up', load: 0.9 } };
  const status = async () => (await sidecast.publish(full)).status;
  const reloads = () => sidecast.log.split(/reloaded/).length;
  const reload = async (text) => {
    const before = reloads();
    writeFileSync(name, text);
    process.kill(sidecast.pids.self, 'SIGHUP');
    await until(() => reloads() >= before + 1 + sidecast.pids.gateways.length, bound(1000), () => sidecast.log.slice(-2000));
  };
  const less = { ...contract, properties: { ...contract.properties, load: { type: 'number', maximum: 0.5 } } };

  try {
    assert.equal(await status(), 202);
    await reload(JSON.stringify(less));
    assert.equal(await status(), 422);
    await reload('{"type": "object",\n "propertys": {}}');
    assert.equal(await status(), 422);
    assert.match(sidecast.log, /agent%3Aupdate\.schema\.json.*line=2 column=2.*fault=/);
    await reload(JSON.stringify(contract));
    assert.equal(await status(), 202);
  } finally {
    writeFileSync(name, JSON.stringify(contract));
  }
}));
