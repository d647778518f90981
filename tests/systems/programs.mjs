// S3: rooms from memberships; clients only listen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Frames } from '../flow/lib/clients.mjs';
import { program as sidecast_program } from '../flow/lib/sidecast.mjs';
import { bound, sleep, until } from '../flow/lib/wait.mjs';
import { stop_gateway } from './lib/stop.mjs';
import { root, system } from './lib/system.mjs';

const page = 'http://localhost:3000';
const by = { userId: 'u1', name: 'Ada' };
const events = {
  'request:created': { title: 'A lift' },
  'request:updated': { changes: { title: 'Two lifts' } },
  'request:status_changed': { from: 'open', to: 'approved' },
  'request:assigned': { assigneeId: 7 },
  'comment:added': { commentId: 1, text: 'Well, שלום 🙂' },
  'comment:deleted': { commentId: 1 },
  'attachment:uploaded': { attachmentId: 'a', name: 'plan.pdf', bytes: 10 },
  'attachment:deleted': { attachmentId: 'a' },
};
const names = Object.keys(events);

const user = (id) => ({ sub: `u${id}`, active: true, role: 'editor', programs: [] });

// The backend's own module, out of the folder; it asks for the address once.
function backend({ folder, sidecast }) {
  process.env.SIDECAST_URL = sidecast.publisher;
  return import(pathToFileURL(path.join(folder, 'publisher.mjs')).href);
}

// Tells a program of an event, and waits for nothing.
async function tell(world, program, event, more = {}) {
  const { emitToProgram } = await backend(world);
  emitToProgram(program, event, { requestId: 1, data: events[event], performedBy: by, ...more });
}

const member = (world, programs, claims = {}) => world.connect({ claims: { programs, ...claims } });
// One that was away for long: it names the time of its last event.
const returning = (world, programs, lastEventTimestamp) => {
  const token = world.token({ programs });
  return world.connect({ token, auth: { token, lastEventTimestamp } });
};
const ours = ({ received }) => received.filter(([event]) => event !== 'socket:data');

// The first packet of Engine.IO, over the world's transport.
async function open_packet(world) {
  const target = `/socket.io/?EIO=4&transport=${world.transport}`;
  if (world.transport === 'polling')
    return JSON.parse((await world.get(target)).text.slice(1));
  const socket = await new Frames(`${world.sidecast.gateway.replace('http', 'ws')}${target}`).opened();
  const packet = String(await socket.find((frame) => frame[0] === 0x30));
  socket.close();
  return JSON.parse(packet.slice(1));
}

system('programs', {
  claims: user,
  // So that a test sees what is attached to a socket, which clients are not told otherwise.
  edits: [['connect:\n', 'connect:\n  emit: [{event: "socket:data", payload: "{user}"}]\n']],
}, ({ check, pending, elsewhere }) => {
  const refusals = [
    ['no token', 'Authentication required', 'missing', () => ''],
    ['a token that is none', 'Invalid or expired token', 'invalid', () => 'a.b.c'],
    ['a token of somebody else', 'Invalid or expired token', 'invalid', (world) => world.sidecast.mint({ ...user(1), sub: 'x' }, { secret: 'x'.repeat(40) })],
    ['an expired token', 'Invalid or expired token', 'expired', (world) => world.token({ exp: 1_700_000_000 })],
    ['a user who is not active', 'User not found or inactive', 'inactive', (world) => world.token({ active: false })],
    ['a user who is not known', 'User not found or inactive', 'inactive', (world) => world.sidecast.mint({ sub: 'u1' })],
  ];
  for (const [what, message, reason, token] of refusals)
    check('S3-01', `${what} is refused: ${message}`, async (world) => {
      const refusal = await world.refusal({ token: token(world) });
      assert.deepEqual([refusal.message, refusal.data.reason], [message, reason]);
    });

  check('S3-02', 'the user, whether active, and the role are in the claims', async (world) => {
    const { data } = await world.refusal({ claims: { role: undefined } });
    assert.equal(data.reason, 'forbidden');
    const { data: other } = await world.refusal({ claims: { active: 'true' } });
    assert.equal(other.reason, 'inactive');
    assert.ok((await member(world, [1], { role: 'viewer' })).connected);
  });
  pending('S3-02', 'the user is looked up by a hook to the backend', 'the server asks no backend so far');

  check('S3-03', 'a client is in the room of each membership by itself', async (world) => {
    const programs = [world.id(), String(world.id()), world.id()];
    const socket = await member(world, programs);
    for (const program of programs)
      await tell(world, program, 'request:created');
    const got = await world.heard(socket, 'request:created', 3);
    assert.deepEqual(got.map(([{ programId }]) => programId), programs);
    await member(world, []); // no membership is fine
  });

  check('S3-04', 'an event of a program reaches its members and nobody else', async (world) => {
    const [one, two] = [world.id(), world.id()];
    const sockets = [await member(world, [one]), await member(world, [one, two]), await member(world, [two])];
    await tell(world, one, 'comment:added');
    await tell(world, two, 'comment:deleted');
    await world.heard(sockets[1], 'comment:deleted');
    await world.heard(sockets[2], 'comment:deleted');
    await world.heard(sockets[0], 'comment:added');
    assert.deepEqual(sockets.map((socket) => ours(socket).map(([event]) => event)),
      [['comment:added'], ['comment:added', 'comment:deleted'], ['comment:deleted']]);
  });

  check('S3-05', 'userId, userRole and programs are attached', async (world) => {
    const programs = [world.id(), 'x'];
    const socket = await member(world, programs, { sub: 'ada', role: 'admin' });
    const [[{ userId, userRole, programs: found }]] = await world.heard(socket, 'socket:data');
    assert.deepEqual({ userId, userRole, found }, { userId: 'ada', userRole: 'admin', found: programs });
  });

  for (const event of names)
    check('S3-06', `${event} has its whole payload`, async (world) => {
      const program = world.id();
      const socket = await member(world, [program]);
      await tell(world, program, event, { requestId: `r${program}` });
      const [[payload, ...more]] = await world.heard(socket, event);
      const { timestamp, ...rest } = payload;
      assert.deepEqual(rest, { event, programId: program, requestId: `r${program}`, data: events[event], performedBy: by });
      assert.equal(new Date(timestamp).toISOString(), timestamp);
      assert.ok(Math.abs(new Date(timestamp) - Date.now()) < 60_000);
      assert.deepEqual(more, []);
    });

  check('S3-07', 'nothing that a client sends is taken', async (world) => {
    const [mine, other] = [world.id(), world.id()];
    const socket = await member(world, [mine]);
    for (const [event, argument] of [['subscribe', { room: `program:${other}` }], ['request:created', { programId: mine }], ['join', other]]) {
      const { ok, error } = await world.ask(socket, event, argument);
      assert.deepEqual([ok, error], [false, 'E_UNKNOWN_EVENT']);
    }
    socket.emit('comment:added', {});
    assert.equal((await world.heard(socket, 'error'))[0][0].code, 'E_UNKNOWN_EVENT');
    await tell(world, other, 'request:created');
    await tell(world, mine, 'request:updated');
    await world.heard(socket, 'request:updated');
    assert.ok(!socket.received.some(([event]) => event === 'request:created'));
  });

  check('S3-08', 'emitToProgram is not waited for, and keeps its order', async (world) => {
    const { emitToProgram, settled } = await backend(world);
    const program = world.id();
    const socket = await member(world, [program]);
    const began = performance.now();
    for (let i = 0; i < 20; i++)
      assert.equal(emitToProgram(program, 'request:updated', { requestId: i, data: { changes: {} }, performedBy: by }), undefined);
    assert.ok(performance.now() - began < bound(100), 'it gives control back');
    emitToProgram(program, 'request:updated', { requestId: 1 }); // refused, and that is logged
    await settled();
    const got = await world.heard(socket, 'request:updated', 20);
    assert.deepEqual(got.map(([{ requestId }]) => requestId), Array.from({ length: 20 }, (_, i) => i));
  });
  check('S3-08', 'what was told is kept for who comes later', async (world) => {
    const { settled } = await backend(world);
    const program = world.id();
    const before = Date.now();
    await tell(world, program, 'request:created', { requestId: 'kept' });
    await settled();
    const socket = await returning(world, [program], before);
    assert.equal((await world.heard(socket, 'request:created'))[0][0].requestId, 'kept');
  });

  check('S3-09', 'who names the time of the last event gets what came since, of each program, in order', async (world) => {
    const { settled } = await backend(world);
    const [one, two, other] = [world.id(), world.id(), world.id()];
    const told = [];
    for (const [i, event] of names.entries()) {
      told.push([event, i % 2 ? one : two]);
      await tell(world, i % 2 ? one : two, event, { requestId: i });
      await tell(world, other, event, { requestId: -1 });
      await settled();
      await sleep(2);
    }
    // Any program's events say when they were.
    const all = await returning(world, [one, two], Date.now() - 60_000);
    await world.heard(all, names.at(-1));
    const third = ours(all)[2][1].timestamp;
    for (const since of [third, new Date(third).getTime()]) {
      const socket = await returning(world, [one, two], since);
      await tell(world, one, 'comment:added', { requestId: 'live' });
      await until(() => ours(socket).some(([, { requestId }]) => requestId === 'live'), bound(4000));
      const got = ours(socket).filter(([, { requestId }]) => requestId !== 'live');
      assert.deepEqual(got.map(([event, { programId }]) => [event, programId]), told.slice(2));
      assert.equal(ours(socket).at(-1)[1].requestId, 'live');
    }
  });

  check('S3-09', 'who names no time gets nothing of the past', async (world) => {
    const { settled } = await backend(world);
    const program = world.id();
    await tell(world, program, 'request:created');
    await settled();
    const socket = await member(world, [program]);
    await tell(world, program, 'request:updated');
    await world.heard(socket, 'request:updated');
    assert.deepEqual(ours(socket).map(([event]) => event), ['request:updated']);
  });

  check('S3-10', 'the newest 50 of each program come, the same twice where it was told twice, and the rest is announced', async (world) => {
    const { emitToProgram, settled } = await backend(world);
    const [busy, quiet] = [world.id(), world.id()];
    const before = Date.now();
    for (let i = 0; i < 60; i++)
      emitToProgram(busy, 'request:updated', { requestId: i, data: { changes: {} }, performedBy: by });
    for (let i = 0; i < 2; i++)
      emitToProgram(quiet, 'comment:deleted', { requestId: 1, data: { commentId: 1 }, performedBy: by });
    await settled();
    const socket = await returning(world, [busy, quiet], before);
    const [[{ count, truncated, rooms }]] = await world.heard(socket, 'catchup');
    assert.deepEqual({ count, truncated, rooms }, { count: 52, truncated: true, rooms: [`program:${busy}`] });
    assert.deepEqual(ours(socket).slice(0, 50).map(([, { requestId }]) => requestId), Array.from({ length: 50 }, (_, i) => i + 10));
    assert.deepEqual(ours(socket).slice(50).map(([event]) => event), ['comment:deleted', 'comment:deleted', 'catchup']);
  });

  check('S3-11', 'a ping each 25 s, 60 s to answer', async (world) => {
    const { pingInterval, pingTimeout } = await open_packet(world);
    assert.deepEqual([pingInterval, pingTimeout], [25_000, 60_000]);
  });

  check('S3-11', 'the page of CLIENT_URL connects with credentials, others do not', async (world) => {
    const target = '/socket.io/?EIO=4&transport=polling';
    const { status, headers } = await world.get(target, { headers: { origin: page } });
    assert.deepEqual([status, headers['access-control-allow-origin'], headers['access-control-allow-credentials']], [200, page, 'true']);
    assert.equal((await world.get(target, { headers: { origin: 'http://localhost:4000' } })).status, 403);
    assert.ok((await member(world, [1], {})).connected);
    const { message } = await world.refusal({ extraHeaders: { origin: 'http://localhost:4000' } });
    assert.match(message, /websocket error|xhr poll error/);
  });

  check('S3-12', 'the log has its lines: who came, into which rooms, and why who left', async (world) => {
    const [one, two] = [world.id(), world.id()];
    const socket = await member(world, [one, two], { sub: `ada-${one}` });
    const { id } = socket;
    await world.logged(new RegExp(` info .* Socket connected: ${id} \\(user: ada-${one}\\)`));
    await world.logged(new RegExp(` debug .* Socket ${id} joined program:${one}`));
    await world.logged(new RegExp(` debug .* Socket ${id} joined program:${two}`));
    socket.close();
    await world.logged(new RegExp(` info .* Socket disconnected: ${id} \\(reason: client namespace disconnect\\)`));
  });

  check('S3-13', 'clients are told before a stop, leave one by one, and return to the next gateway', async (world) => {
    const data = { programId: 1, requestId: 1, data: events['comment:added'], performedBy: by };
    const sockets = await stop_gateway(world, 'programs', {
      more: '\ndrain: {event: "server:closing", payload: {at: "{now.iso}"}}\n',
      claims: { ...user(1), programs: [1] },
      tell: ({ sidecast }) => sidecast.publish({ event: 'comment:added', data }),
      is_told: ({ received }) => received.some(([event]) => event === 'comment:added'),
    });
    for (const { closings } of sockets)
      assert.deepEqual(closings.map(([{ at }]) => new Date(at).toISOString() === at), [true]);
  });
  elsewhere('S3-13', 'a stop ends within 2 s and leaves nothing behind', 'tests/flow/60_lifecycle.mjs',
    'SIGTERM ends all processes in time, with exit 0 and nothing leaked');

  check('S3-14', 'the catalog is the only source: what is not in it, or breaks it, is refused', async (world) => {
    const data = { programId: world.id(), requestId: 1, data: events['comment:added'], performedBy: by };
    const refused = async (event, changes) => {
      const { status, json } = await world.sidecast.publish({ event, data: { ...data, ...changes } });
      return [status, json.code, json.errors?.[0].pointer];
    };
    assert.deepEqual(await refused('comment:edited', {}), [422, 'E_UNKNOWN_EVENT', '/event']);
    assert.deepEqual(await refused('comment:added', { performedBy: {} }), [422, 'E_BAD_PAYLOAD', '/data/performedBy']);
    assert.deepEqual(await refused('comment:added', { data: { text: 'x' } }), [422, 'E_BAD_PAYLOAD', '/data/data']);
    assert.deepEqual(await refused('comment:added', { more: 1 }), [422, 'E_BAD_PAYLOAD', '/data/more']);
    const { status } = await world.sidecast.publish({ event: 'comment:added', data });
    assert.equal(status, 202);
  });

  check('S3-14', 'types for clients are of the same eight events', async (world) => {
    const types = execFileSync(sidecast_program, ['contracts', '--types', '--config', path.join(world.folder, 'sidecast.yaml')], { encoding: 'utf8' });
    for (const event of names)
      assert.ok(types.includes(`'${event}'`) || types.includes(`"${event}"`), event);
    assert.equal(readdirSync(path.join(root, 'examples/programs/contracts')).length, names.length);
  });
});
