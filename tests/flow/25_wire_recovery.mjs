// Coming back, packet by packet, beside the reference server with `connectionStateRecovery`. A
// row is [name, steps, state]; in what comes a place in the log is "@", and ids are "old" where
// the client has had them before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { is_offset } from './lib/clients.mjs';
import { is_reference, with_conformance } from './lib/conformance.mjs';
import { OnePostLine, PollingLine, WebSocketLine } from './lib/socket_io_line.mjs';
import { bound, sleep, until } from './lib/wait.mjs';
import { run_rows } from './lib/wire_rows.mjs';

const both = [WebSocketLine, PollingLine];
const pid_shape = is_reference ? /^[\w-]{20}$/ : /^[\w-]{32}$/;
const is_place = is_reference ? (text) => /^[\w-]{7}(\.[\w-]+)?$/.test(text) : is_offset;
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

// A client, with what the official one remembers of each namespace: ids, and its place.
class Guest {
  known = { '': {}, '/custom,': {} };

  constructor(gateway, Line) {
    Object.assign(this, { gateway, Line });
  }

  async open() {
    this.line = await new this.Line().open(this.gateway);
    this.line.shown = (item) => this.show(item);
  }

  show(item) {
    const [, type, nsp, rest] = String(item).match(/^(4(?:0|2|5\d-))(\/custom,)?(.*)$/) ?? [];
    if (typeof item !== 'string' || !type)
      return item;
    const known = this.known[nsp ?? ''], is_connect = type === '40';
    return `${type}${nsp ?? ''}${is_connect ? show_ids(rest, known) : show_place(rest, known)}`;
  }

  send(...items) {
    this.line.send(...items);
  }

  hears(...wanted) {
    return this.line.hears(...wanted);
  }
}

function show_ids(text, known) {
  const [, sid, pid] = text.match(/^\{"sid":"([\w-]{20})","pid":"([\w-]+)"\}$/) ?? [];
  if (!sid || !pid_shape.test(pid) || sid === pid)
    return text;
  const shown = { sid: sid === known.sid ? 'old' : 'new', pid: pid === known.pid ? 'old' : 'new' };
  Object.assign(known, { sid, pid });
  return JSON.stringify(shown);
}

function show_place(text, known) {
  const [, before, place] = text.match(/^(.*,)"([^"]+)"\]$/) ?? [];
  if (!place || !is_place(place))
    return text;
  known.place = place;
  return `${before.replace(/("message":)"[^"]*"/, '$1"*"')}"@"]`;
}

const ids = (is) => JSON.stringify({ sid: is, pid: is });
const said = (what) => `42["said",${what},"@"]`;
const slot = '{"_placeholder":true,"num":0}';
const bytes = [[1, 2, 3], [4, 255]];

// --- steps ---

// Where the answer to CONNECT stands among what was missed is a row of its own.
const in_order = (answer, missed) => (is_reference ? [...missed, ...answer] : [...answer, ...missed]);

// CONNECT, with what a client brings that comes back.
const connects = (is, { missed = [], nsp = '', brings = ({ pid, place }) => ({ pid, offset: place }), order = in_order } = {}) =>
  async ({ me }) => {
    const brought = JSON.stringify(brings(me.known[nsp], me));
    me.send(`40${nsp}${brought}`);
    await me.hears(...order([`40${nsp}${ids(is)}`, `42${nsp}["auth",${brought},"@"]`], missed));
  };
const anew = { brings: () => ({}) };
const opens = ({ me }) => me.open();
const back = (is, options) => async (visit) => {
  await opens(visit);
  await connects(is, options)(visit);
};

// Several CONNECTs before any answer, as the official client sends them. Those of one namespace
// keep their order; which one is answered first is not said.
const back_at_once = (is, wanted) => async (visit) => {
  const { me } = visit, brought = (nsp) => JSON.stringify({ pid: me.known[nsp].pid, offset: me.known[nsp].place });
  const came = [], answers = {};
  await opens(visit);
  for (const [nsp, missed] of Object.entries(wanted))
    answers[nsp] = in_order([`40${nsp}${ids(is)}`, `42${nsp}["auth",${brought(nsp)},"@"]`], missed);
  me.send(...Object.keys(wanted).map((nsp) => `40${nsp}${brought(nsp)}`));
  const count = Object.values(answers).flat().length;
  await until(() => me.line.came.length >= count, bound(3000), () => `only ${JSON.stringify(me.line.came)} came`);
  came.push(...me.line.came.map((item) => me.show(item)));
  me.line.seen = came.length;
  for (const [nsp, answer] of Object.entries(answers))
    assert.deepEqual(came.filter((item) => item.includes('/custom,') === (nsp !== '')), answer);
};

// The reference obeys a packet, and notices that a client is gone, a moment later.
const settled = () => (is_reference ? sleep(250) : undefined);
const leaves = async ({ me }) => {
  await me.line.posts;
  me.line.close();
  await settled();
};
// For good: 41 and the like are not answered, and the next gateway asks the directory.
const is_over = async ({ me, sidecast }) => {
  await leaves({ me });
  for (const [nsp, { sid }] of is_reference ? [] : Object.entries(me.known).filter(([, known]) => known.sid)) {
    const event = { event: 'anybody', namespace: nsp ? '/custom' : '/', sockets: [sid], volatile: true, data: 0 };
    await until(async () => (await sidecast.publish(event)).json.recipients === 0, bound(3000), () => `${sid} is still known`);
  }
};
const is_closed = async ({ me }) => {
  await me.line.is_closed();
  await settled();
};
const asks = (sent, came) => async ({ me, in_room }) => {
  me.send(...sent.map(in_room));
  await me.hears(...came);
  await settled();
};
const hears = (...came) => ({ me }) => me.hears(...came);
const joins = (room, recovered = false) => asks([`421["join","${room}"]`], [`431[{"ok":true,"recovered":${recovered}}]`]);

// The other one speaks, and hears itself: by then it is what somebody who is away missed.
const tells = (sent, came) => async ({ other, in_room }) => {
  other.send(...sent.map(in_room));
  await other.hears(...came);
};
const says = (what, room = 'ROOM') => tells([`42["say","${room}",${what}]`], [said(what)]);
const whispered = is_reference ? '42["whispered",1]' : '42["whispered",1,"@"]';
const whispers = tells(['42["whisper","ROOM",1]'], [whispered]);
const in_custom = async ({ me, other, in_room }) => {
  for (const guest of [other, me]) {
    guest.send('40/custom,{}');
    await guest.hears(`40/custom,${ids('new')}`, '42/custom,["auth",{},"@"]');
    guest.send(in_room('42/custom,1["join","ROOM"]'));
    await guest.hears('43/custom,1[{"ok":true,"recovered":false}]');
  }
};
const says_in_custom = (what) => tells([`42/custom,["say","ROOM",${what}]`], [`42/custom,["said",${what},"@"]`]);

// States: a member of the room, or connected and in none.
const member = async (visit) => {
  await says('"live"')(visit);
  await visit.me.hears(said('"live"'));
};
const stranger = async (visit) => {
  await says('"live"')(visit);
  visit.me.send('42["message"]');
  await visit.me.hears('42["message-back","@"]');
};

// --- the rows ---

const places = [
  ['CONNECT is answered with a pid', [], member],
  ['each namespace has ids of its own', [connects('new', { ...anew, nsp: '/custom,' }), ({ me }) => {
    const { '': here, '/custom,': there } = me.known;
    assert.equal(new Set([here.sid, here.pid, there.sid, there.pid]).size, 4);
  }], member],
  ['a refusal has none', [asks(['40/auth,'], ['44/auth,{"message":"Not authorized","data":{"code":"E_UNAUTH"}}'])], member],
  ['a reply', [asks(['42["message",1]'], ['42["message-back",1,"@"]'])], member],
  ['a reply without arguments', [asks(['42["message"]'], ['42["message-back","@"]'])], member],
  ['behind a text', [asks(['42["message",1,"tail"]'], ['42["message-back",1,"tail","@"]'])], member],
  ['behind attachments', [asks([`452-["message",${slot},{"a":{"_placeholder":true,"num":1}}]`, ...bytes],
    [`452-["message-back",${slot},{"a":{"_placeholder":true,"num":1}},"@"]`, ...bytes])], member],
  ['an ack has none', [asks(['427["message-with-ack",1,"tail"]'], ['437[1,"tail"]'])], member],
  ['an ack with attachments has none', [asks([`451-7["message-with-ack",${slot}]`, bytes[0]], [`461-7[${slot}]`, bytes[0]])], member],
  ['what is said in a room', [says(1), hears(said(1))], member],
  ['what is said in a room with attachments', [tells([`451-["say","ROOM",${slot}]`, bytes[0]], [`451-["said",${slot},"@"]`, bytes[0]]),
    hears(`451-["said",${slot},"@"]`, bytes[0])], member],
  ['what is volatile', [whispers, hears('42["whispered",1,"@"]')], member,
    { there: [[whispers, hears('42["whispered",1]')], member], differs: 'volatile events have an offset, too' }],
  ['in another namespace', [connects('new', { ...anew, nsp: '/custom,' }), asks(['42/custom,1["join","ROOM"]'],
    ['43/custom,1[{"ok":true,"recovered":false}]']), asks(['42/custom,["say","ROOM",2]'], ['42/custom,["said",2,"@"]'])], member],
  ['the same event has one place for all', [says(1), hears(said(1)), ({ me, other }) => assert.equal(me.known[''].place, other.known[''].place)], member],
];

const returns = [
  ['who missed nothing', [leaves, back('old')], member],
  ['who missed something', [leaves, says(1), says('"x",{"a":[2]}'), says(3), back('old', { missed: [said(1), said('"x",{"a":[2]}'), said(3)] })], member],
  ['CONNECT is answered before what was missed', [leaves, says(1), back('old', { missed: [said(1)], order: (answer, missed) => [...answer, ...missed] })], member,
    { there: [[leaves, says(1), back('old', { missed: [said(1)], order: (answer, missed) => [...missed, ...answer] })], member],
      differs: 'the answer to CONNECT comes before what was missed' }],
  ['who missed attachments', [leaves, tells([`451-["say","ROOM",${slot}]`, bytes[0]], [`451-["said",${slot},"@"]`, bytes[0]]), says(2),
    back('old', { missed: [`451-["said",${slot},"@"]`, bytes[0], said(2)] })], member],
  ['who missed a lot', [leaves, tells(many(300, (i) => `42["say","ROOM",${i}]`), many(300, (i) => said(i))),
    back('old', { missed: many(300, (i) => said(i)) })], member],
  ['what is volatile is not kept', [leaves, whispers, says(1), back('old', { missed: [said(1)] })], member],
  ['what was said where it was not', [leaves, says(1, 'OTHER'), says(2), back('old', { missed: [said(2)] })], member],
  ['a room that it joined later', [says(1, 'OTHER'), joins('OTHER'), leaves, says(2, 'OTHER'), back('old', { missed: [said(2)] })], member,
    { there: [[says(1, 'OTHER'), joins('OTHER'), leaves, says(2, 'OTHER'), back('old', { missed: [said(1), said(2)] })], member],
      differs: 'who comes back gets nothing from before it joined a room' }],
  ['a room that it left', [asks(['421["leave","ROOM"]'], ['431[{"ok":true}]']), leaves, says(1), back('old')], stranger],
  ['a command may know it', [leaves, back('old'), joins('OTHER', true)], member],
  ['what else CONNECT brings', [leaves, says(1), back('old', { missed: [said(1)], brings: ({ pid, place }) => ({ a: { pid: 1 }, offset: place, pid }) })], member],
  ['five times', many(5, (i) => [leaves, says(i), back('old', { missed: [said(i)] }), says('"x"'), hears(said('"x"'))]).flat(), member],
  ['over the other transport', [leaves, says(1), ({ me }) => { me.Line = both.find((Line) => Line !== me.Line); },
    back('old', { missed: [said(1)] })], member],
  ['two namespaces', [in_custom, leaves, says(1), says_in_custom(2),
    back('old', { missed: [said(1)] }), connects('old', { nsp: '/custom,', missed: ['42/custom,["said",2,"@"]'] })], member],
  ['a server that closes', [asks(['42["drop"]'], []), is_closed, says(1), back('old', { missed: [said(1)] })], member],
  ['a client that breaks the protocol', [asks(['4x'], []), is_closed, is_over, says(1), back('new')], stranger,
    { there: [[asks(['4x'], []), is_closed, says(1), back('old', { missed: [said(1)] })], member], differs: 'a session is over after what the protocol forbids' }],
  ['beside its connection', [opens_beside('old'), says(1), hears(said(1))], member,
    { there: [[opens_beside('new'), says(1)], stranger], differs: 'who comes back while its connection before is alive' }],
  ['after 41', [asks(['41'], []), is_over, back('new')], stranger],
  ['after 41 on the same connection', [asks(['41'], []), connects('new')], stranger],
  ['after 41 in one namespace', [connects('new', { ...anew, nsp: '/custom,' }), asks(['41/custom,'], []), is_over, says(1),
    back('old', { missed: [said(1)] }), connects('new', { nsp: '/custom,' })], member],
  ['after 41 of who had come back', [leaves, back('old'), asks(['41'], []), is_over, back('new')], stranger,
    { there: [[leaves, back('old'), asks(['41'], []), leaves, back('old')], member], differs: 'after a DISCONNECT packet it is for good' }],
  ['who was disconnected', [asks(['42["unheard-of"]'], ['42["error",{"code":"E_UNKNOWN_EVENT","message":"*","meta":{}},"@"]', '41']), is_closed,
    is_over, back('new')], stranger],
  ['who was disconnected for a rate', [asks(['42["once"]', '42["once"]'], ['42["error",{"code":"E_RATE_LIMIT","message":"*","meta":{}},"@"]', '41']),
    is_closed, is_over, back('new')], stranger],
];

function opens_beside(is) {
  return async (visit) => {
    const { me } = visit, ghost = me.line;
    visit.lines.push(ghost);
    await back(is)(visit);
    if (is === 'old')
      await until(() => ghost.closed, bound(3000), () => 'the connection before is still open');
    assert.deepEqual(ghost.came.slice(ghost.seen), []);
  };
}

// As one body where they are polled for.
const at_once = [
  ['two namespaces at once', [in_custom, leaves, says(1), says_in_custom(2), says(3), says_in_custom(4),
    back_at_once('old', { '': [said(1), said(3)], '/custom,': [2, 4].map((n) => `42/custom,["said",${n},"@"]`) })], member],
];

// What only polling has: over WebSocket the reference does not hear it.
const polite = [
  ['1 is a lost connection', [asks(['1'], []), leaves, says(1), back('old', { missed: [said(1)] })], member],
];

const with_pid = (pid) => back('new', { brings: (known) => ({ pid: typeof pid === 'function' ? pid(known) : pid, offset: known.place }) });
const with_offset = (is, offset, missed = []) =>
  back(is, { missed, brings: ({ pid, place }, me) => ({ pid, offset: typeof offset === 'function' ? offset(place, me) : offset }) });
const long = 'x'.repeat(10_000);
const start = (value) => `${JSON.stringify(value)}`.slice(0, 10);

const pids = [
  ['no pid', [leaves, back('new', { brings: ({ place }) => ({ offset: place }) })], stranger],
  ['nothing', [leaves, back('new', anew)], stranger],
  ...[7, null, true, {}, [], '', long, 'grüße'].map((pid) => [`pid ${start(pid)}`, [leaves, with_pid(pid)], stranger]),
  ['a pid that nobody has', [leaves, with_pid(({ pid }) => 'x'.repeat(pid.length))], stranger],
  ['a pid and a character', [leaves, with_pid(({ pid }) => `${pid}A`)], stranger],
  ['a pid without its first character', [leaves, with_pid(({ pid }) => pid.slice(1))], stranger],
  ['the sid instead', [leaves, with_pid(({ sid }) => sid)], stranger],
  ['the pid of another namespace', [leaves, opens,
    connects('new', { nsp: '/custom,', brings: (_, { known: { '': { pid, place } } }) => ({ pid, offset: place }) }),
    ({ me }) => assert.notEqual(me.known['/custom,'].sid, me.known[''].sid), connects('old')], member],
];

// Where the client was when it said so.
const marks = ({ me }) => { me.mark = me.known[''].place; };
const mark = (_, me) => me.mark;
const heard = (...what) => what.flatMap((one) => [says(one), hears(said(one))]);

const lost_behind_the_greeting = [leaves, says(1), says(2), back('old', { missed: [said(1), said(2)] }), ({ me }) => {
  me.mark = me.line.came.find((item) => item.startsWith('42["auth"')).match(/"([^"]+)"\]$/)[1];
}, leaves];

const offsets = [
  ...[7, true, {}, [], '', long, 'no place'].map((offset) => [`offset ${start(offset)}`, [leaves, says(1), with_offset('new', offset)], stranger]),
  ...[undefined, null].map((offset) => [`offset ${offset}`, [leaves, says(1), with_offset('old', offset, [said(1)])], member,
    { there: [[leaves, says(1), with_offset('new', offset)], stranger], differs: 'a client that brings no offset' }]),
  ['an offset of another log', [leaves, says(1), with_offset('old', 'AAAAAAAA-1', [said(1)])], member,
    { there: [[leaves, says(1), with_offset('new', 'AAAAAAAA-1')], stranger], differs: 'one with an offset of a log of before' }],
  ['an offset that is still to come', [leaves, says(1), with_offset('new', (place) => `${place}zzz`)], stranger],
  ['an offset and a blank', [leaves, says(1), with_offset('new', (place) => `${place} `)], stranger],
  ['an offset from before', [...heard(1), marks, ...heard(2, 3), leaves, says(4), with_offset('old', mark, [said(2), said(3), said(4)])], member],
  ['an offset from before a reply', [...heard(1), marks, asks(['42["message",2]'], ['42["message-back",2,"@"]']), leaves, says(3), with_offset('old', mark, [said(3)])],
    member, { there: [[...heard(1), marks, asks(['42["message",2]'], ['42["message-back",2,"@"]']), leaves, says(3),
      with_offset('old', mark, ['42["message-back",2,"@"]', said(3)])], member], differs: 'replies, greetings and errors are not repeated' }],
  ['the offset of a greeting to who came back', [...lost_behind_the_greeting, with_offset('old', mark, [said(1), said(2)])], member,
    { there: [[...lost_behind_the_greeting, with_offset('old', mark)], member], differs: 'the answer to CONNECT comes before what was missed' }],
  ['an offset from later', [leaves, says(1), ({ me, other }) => { me.mark = other.known[''].place; }, says(2), with_offset('old', mark, [said(2)])], member],
  ['an offset of another room', [says(1, 'OTHER'), ({ me, other }) => { me.mark = other.known[''].place; }, leaves, says(2), with_offset('old', mark, [said(2)])], member],
];

let rooms_given = 0;

async function play(gateway, [, [Line, steps], state], { sidecast }) {
  const room = `r${rooms_given++}`, lines = [], in_room = (item) =>
    (typeof item === 'string' ? item.replace('"ROOM"', `"${room}"`).replace('"OTHER"', `"${room}:other"`) : item);
  const me = new Guest(gateway, Line), other = new Guest(gateway, WebSocketLine);
  const visit = { me, other, in_room, lines, sidecast };

  try {
    for (const guest of [other, me]) {
      await back('new', anew)({ me: guest });
      await joins('ROOM')({ me: guest, in_room });
    }
    await joins('OTHER')({ me: other, in_room });
    for (const step of steps)
      await step(visit);
    await state(visit);
  } finally {
    [me.line, other.line, ...lines].forEach((line) => line?.close());
  }
}

function run(sidecast, rows, { over = both, ...options } = {}) {
  const all = rows.flatMap(([name, steps, state, difference]) => over.map((Line) => [`${name} [${Line.transport}]`, [Line, steps], state,
    difference && { ...difference, there: [[Line, difference.there[0]], difference.there[1]] }]));
  return run_rows(sidecast.gateway, all, { play, sidecast, ...options });
}

const silent = async ({ me }) => {
  me.line.pong = () => {};
  await until(() => me.line.closed, bound(3000), () => 'a silent client is not closed');
};
const too_late = async () => {
  await sleep(3500);
};
const times = [
  ['who was silent', [silent, leaves, says(1), back('old', { missed: [said(1)] })], member],
  ['who was away for too long', [leaves, says(1), too_late, back('new')], stranger],
];

const tables = [
  ['what says where they are', places],
  ['after what they come back', returns],
  ['several at once', at_once, { over: [WebSocketLine, OnePostLine] }],
  ['and how they leave by polling', polite, { over: [PollingLine] }],
  ['with pids that are wrong', pids, { over: [WebSocketLine] }],
  ['with offsets that are wrong, or another\'s', offsets, { over: [WebSocketLine] }],
];

// Most of the time goes by in a few rows that wait.
describe('clients come back as they do at the reference', { concurrency: 2 }, () => {
  test('whatever was and was not said', { concurrency: true }, with_conformance('returning', (sidecast, t) =>
    Promise.all(tables.map(([name, rows, options]) => t.test(name, () => run(sidecast, rows, options))))));

  // A client that is not prompt itself is closed, too: on a loaded machine it may try again.
  test('in time', with_conformance('brief', (sidecast) => run(sidecast, times, { attempts: 3 })));
});
