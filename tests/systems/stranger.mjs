// A stranger's path: whoever copies a system's folder and gives rooms, events and commands names
// of their own has a server that works. The names here are made up anew in each run.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect } from '../flow/lib/clients.mjs';
import { program } from '../flow/lib/sidecast.mjs';
import { bound, until } from '../flow/lib/wait.mjs';
import { copy_system, root, serve_folder } from './lib/system.mjs';

const wait_ms = bound(4000);
const ending = '.schema.json';
const file_of = (event) => event.replaceAll(':', '%3A').replaceAll('/', '%2F') + ending;
const event_of = (file) => decodeURIComponent(file.slice(0, -ending.length));
const person = { userId: 'u1', name: 'Ada' };

// Of each system: who a client is, what it does to listen, and an event for it.
const systems = {
  village: {
    claims: { id: 1, roles: [], perms: [] },
    listen: (socket, is) => ask(socket, is('join_village'), { village_id: 4 }),
    event: 'work_stream', data: { villageId: 4, message: 'new here', ts: 1 },
  },
  agents: {
    claims: { sub: 'u1', email: 'a@example.com', role: 'dev', token_type: 'access' },
    listen: (socket, is) => ask(socket, is('subscribe'), { room: `${is('project')}:p1` }),
    event: 'project.deleted', data: { project_id: 'p1', project_name: 'One', deleted_by: 'u1' },
  },
  programs: {
    claims: { sub: 'u1', active: true, role: 'editor', programs: [7] },
    event: 'comment:deleted', data: { programId: 7, requestId: 1, data: { commentId: 1 }, performedBy: person },
  },
  notifications: {
    claims: { id: 123 },
    listen: async (socket, is, token) => {
      socket.emit('auth', { userId: '123', jwt: `bearer ${token}` });
      await until(() => socket.received.length > 0, wait_ms);
      assert.equal(socket.received[0][0], 'auth_success');
    },
    event: 'notification', users: ['123'], // by the system's own route
    data: { title: { he: 'א', en: 'A' }, body: { he: 'ב', en: 'B' } },
  },
  quickstart: {
    claims: { sub: 'ada', name: 'Ada', projects: [7] },
    event: 'task.moved', data: { project: 7, task: 1, to: 'done', by: 'Ada' },
  },
};

async function ask(socket, command, argument) {
  const answer = await socket.timeout(wait_ms).emitWithAck(command, argument);
  assert.ok(answer.ok || answer.status === 'success', JSON.stringify(answer));
}

const made_up = (name) => name.replace(/[A-Za-z0-9]+/g, () => `n${randomBytes(4).toString('hex')}`);
const quoted = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// What a file calls its commands, and the first words of its rooms. A user's own room has its name.
function names_in(text) {
  const commands = [...text.matchAll(/^ {2}"?([\w:.-]+)"?:(?= \{do: |\n {4}do: )/gm)].map(([, name]) => name);
  const rooms = [...text.matchAll(/"(\w+):[*{]/g)].map(([, name]) => name).filter((name) => name !== 'user');
  return { commands, rooms: [...new Set(rooms)] };
}

// Gives the new names by the old ones.
function rename_all(folder) {
  const file = path.join(folder, 'sidecast.yaml');
  const contracts = path.join(folder, 'contracts');
  const events = readdirSync(contracts).map(event_of);
  let text = readFileSync(file, 'utf8');
  const { commands, rooms } = names_in(text);
  const names = new Map([...events, ...commands, ...rooms].map((name) => [name, made_up(name)]));
  for (const name of rooms)
    text = text.replace(new RegExp(`(?<![\\w.:-])${quoted(name)}(?=:[*{\\w])`, 'g'), names.get(name));
  for (const name of [...events, ...commands])
    text = text.replace(new RegExp(`(?<![\\w.:{-])${quoted(name)}(?![\\w.-]|:[\\w*{])`, 'g'), names.get(name));
  writeFileSync(file, text);
  for (const event of events)
    renameSync(path.join(contracts, file_of(event)), path.join(contracts, file_of(names.get(event))));
  return { names, rooms, events };
}

function check_config(folder) {
  const said = execFileSync(program, ['check-config', '--json', path.join(folder, 'sidecast.yaml')], { encoding: 'utf8' });
  const { ok, errors, warnings } = JSON.parse(said);
  assert.deepEqual({ ok, errors, warnings }, { ok: true, errors: [], warnings: [] });
}

async function one_event_arrives(sidecast, row, names) {
  const is = (name) => names.get(name) ?? assert.fail(`no name for ${name}`);
  const token = sidecast.mint(row.claims);
  const socket = await connect(sidecast, { token });
  await row.listen?.(socket, is, token);
  const post = (target, body) => sidecast.request(`${sidecast.publisher}${target}`, {
    method: 'POST', headers: { authorization: `Bearer ${sidecast.key}` }, body: JSON.stringify(body),
  });
  const answer = await (row.users
    ? post('/broadcast', { userIds: row.users, notification: row.data })
    : post('/v1/publish', { event: is(row.event), data: row.data }));
  assert.ok(answer.status < 300, answer.text);
  await until(() => socket.received.some(([event]) => event === is(row.event)), wait_ms, () => JSON.stringify(socket.received));
  socket.close();
  const before = await post('/v1/publish', { event: row.event, data: row.data, all: true }); // nobody knows the old name
  assert.deepEqual([before.status, before.json.code], [422, 'E_UNKNOWN_EVENT']);
}

describe('a copied folder works under names of one\'s own', { concurrency: true }, () => {
  const folders = readdirSync(path.join(root, 'examples')).filter((name) => existsSync(path.join(root, 'examples', name, 'contracts')));
  for (const name of folders)
    test(`${name} [websocket]`, async () => {
      const row = systems[name] ?? assert.fail(`how does one listen to ${name}? Add a row`);
      const folder = copy_system(name);
      let sidecast;
      try {
        const { names, rooms, events } = rename_all(folder);
        assert.ok(events.length > 0 && (rooms.length > 0 || row.users), 'there is something to rename');
        check_config(folder);
        sidecast = await serve_folder(folder);
        await one_event_arrives(sidecast, row, names);
        await sidecast.stop();
      } finally {
        sidecast?.kill();
        sidecast?.forget();
        rmSync(folder, { recursive: true, force: true });
      }
    });
});
