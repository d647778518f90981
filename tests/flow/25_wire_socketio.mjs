// Socket.IO packet by packet, over WebSocket and polling: what the reference server answers,
// and whether the connection stays. A row is [name, what is sent, what comes, state].
import assert from 'node:assert/strict';
import test from 'node:test';
import { is_reference, with_conformance } from './lib/conformance.mjs';
import { lines, OnePostLine, PollingLine, WebSocketLine } from './lib/socket_io_line.mjs';
import { bound, sleep, until } from './lib/wait.mjs';
import { run_rows } from './lib/wire_rows.mjs';

const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
// In what is sent: wait until so many answers came, after those of the first CONNECT.
const answered = (count) => ({ count });
const hello = ['40{"sid":"*"}', '42["auth",{}]'];
const hello_custom = ['40/custom,{"sid":"*"}', '42/custom,["auth",{}]'];
const slot = (num) => `{"_placeholder":true,"num":${num}}`;
const [one, two] = [[1, 2, 3], [4, 255]];

// States: connected to `/`, not connected to it, or closed as a whole.
const open = async (line) => {
  line.send('42["message","still here"]');
  await line.hears('42["message-back","still here"]');
};
const free = async (line) => {
  line.send('40');
  await line.hears(...hello);
};
const closed = (line) => line.is_closed();

const connects = [
  ['40', ['40'], hello, open],
  ['an empty payload', ['40{}'], hello, open],
  ['a payload', ['40{"token":"x","n":[1,{"a":null}]}'], [hello[0], '42["auth",{"token":"x","n":[1,{"a":null}]}]'], open],
  ['the main namespace by its name', ['40/,'], hello, open],
  ['the main namespace without a comma', ['40/'], hello, open],
  ['an id is ignored', ['4012{}'], hello, open],
  ['another namespace', ['40/custom,'], hello_custom, free],
  ['another namespace without a comma', ['40/custom'], hello_custom, free],
  ['another namespace with a payload', ['40/custom,{"a":1}'], [hello_custom[0], '42/custom,["auth",{"a":1}]'], free],
  ['two namespaces', ['40', '40/custom,'], [...hello, ...hello_custom], open],
  ['an unknown namespace', ['40/random,'], ['44/random,{"message":"Invalid namespace"}'], free],
  ['an unknown namespace with a query', ['40/custom?x=y,'], ['44/custom?x=y,{"message":"Invalid namespace"}'], free],
  ['an unknown namespace may be asked for again', ['40/x,', '40/x,{}'], ['44/x,{"message":"Invalid namespace"}', '44/x,{"message":"Invalid namespace"}'], free],
  ['a namespace that refuses', ['40/auth,'], ['44/auth,{"message":"Not authorized","data":{"code":"E_UNAUTH"}}'], free],
  ['a refusal beside a namespace that is connected', ['40', '40/auth,{"token":1}'], [...hello, '44/auth,{"message":"Not authorized","data":{"code":"E_UNAUTH"}}'], open],
  ...['40[]', '40"x"', '40null', '40{', '40{}x', '40/custom,[]', '42["message","x"]', '41', '41/custom,', '430["x"]', '43["x"]',
    '44{"message":"x"}', '47', '48["x"]', '4x', '4', '4-1', '42/custom,["message","x"]', '4"x"'].map((packet) => [`closes at first: ${packet}`, [packet], [], closed]),
  ['an event of the main namespace to who is in another', ['40/custom,', '42["message","x"]'], hello_custom, closed],
  ['an event for a namespace that refused', ['40/auth,', '42/auth,["message"]'], ['44/auth,{"message":"Not authorized","data":{"code":"E_UNAUTH"}}'], closed],
  ['a second CONNECT', ['40', '40'], hello, closed],
  ['a second CONNECT of another namespace', ['40/custom,', '40/custom,'], hello_custom, closed],
];

const again = (text) => [[`42["message",${text}]`], [`42["message-back",${text}]`], open];
const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const kept = 'arguments are forwarded as the bytes that came';

const events = [
  ['no argument', ['42["message"]'], ['42["message-back"]'], open],
  ['several arguments', ...again('"a",1,-2.5,true,null,{"b":[{}]},[]')],
  ['text is UTF-8', ...again('"grüße 😀 日本"')],
  ['NUL and a lone surrogate', ...again('"\\u0000","\\ud800"')],
  ['nested', ...again(`${'['.repeat(20)}${']'.repeat(20)}`)],
  ['a placeholder in a plain event is an object', ...again(slot(0))],
  ['numbers that JavaScript would round', ...again('12345678901234567890,1.0,1e2,9007199254740993'),
    { there: [['42["message",12345678901234567890,1.0,1e2,9007199254740993]'], ['42["message-back",12345678901234567000,1,100,9007199254740992]'], open], differs: kept }],
  ['100 events keep their order', many(100, (i) => `42["message",${i}]`), many(100, (i) => `42["message-back",${i}]`), open],
  ['an ack', ['4212["message-with-ack",1,"2",{}]'], ['4312[1,"2",{}]'], open],
  ['an ack of nothing', ['423["message-with-ack"]'], ['433[]'], open],
  ['ack 0', ['420["message-with-ack","a"]'], ['430["a"]'], open],
  ['an ack id with zeros', ['42007["message-with-ack","a"]'], ['437["a"]'], open],
  ['the largest ack id', ['429007199254740991["message-with-ack"]'], ['439007199254740991[]'], open],
  ['an ack id of 23 digits', ['4299999999999999999999999["message-with-ack"]'], [], closed,
    { there: [['4299999999999999999999999["message-with-ack"]'], ['431e+23[]'], open], differs: 'ack ids above 2^53-1 close the connection' }],
  ['an event that nobody handles', ['42["nobody",1]'], [], open],
  ['an event that nobody handles, with an ack', ['427["nobody",1]'], ['437[{"ok":false,"error":"E_UNKNOWN_EVENT","message":"*"}]'], open,
    { there: [['427["nobody",1]'], [], open], differs: 'an ack that is asked for of an unknown event says `E_UNKNOWN_EVENT`' }],
  ['an event whose name is a number', ['42[1,2]'], [], open],
  ...['ping', 'pong', 'error', 'open', 'close', 'auth', 'a.b:c d', '', 'é'].map((name) => [`an ordinary name: ${name}`, [`42["${name}",1]`], [], open]),
  ...reserved.map((name) => [`a reserved name: ${name}`, [`42["${name}"]`], [], closed]),
  ...['42[]', '42{}', '42[null]', '42[true]', '42[{}]', '42"x"', '42["message"', '42["message"]]', '42["message"]x', '42-1["message"]', '421.5["message"]',
    '42abc["message"]', "42['message']", '42["message",]', '42["a\tb"]', '42/custom,["message"]', '42/random,["x"]',
    '431{}', '431"x"', '431', '44{"message":"x"}', '41{}', '41[]', '47["x"]', '4', '4x'].filter((packet) => packet !== '431').map((packet) => [`closes: ${packet}`, [packet], [], closed]),
  ['an event without a payload', ['42'], [], closed, { there: [['42'], [], open], differs: '`42` without a payload' }],
  ['a blank before the payload', ['42 ["nobody"]'], [], open],
  ['an ack that nobody waits for', ['4399["x"]'], [], open],
  ['an ack without an id', ['43["x"]'], [], open],
  ['41 leaves the namespace', ['41'], [], free],
  ['41 is not answered, and 40 connects again', ['41', '40'], hello, open],
  ['an event after 41', ['41', '42["message"]'], [], closed],
  ['41 twice', ['41', '41'], [], closed],
  ['41 of one namespace leaves the other', ['40/custom,', '41/custom,'], hello_custom, open],
  ['41 of a namespace that is not connected', ['41/custom,'], [], closed],
  ['an event of another namespace is its own', ['40/custom,', '42/custom,["message","x"]'], hello_custom, open],
  ['join acks, say reaches the room', ['421["join","ROOM"]', answered(1), '42["say","ROOM","x",{"a":1}]'], ['431[{"ok":true,"recovered":false}]', '42["said","x",{"a":1}]'], open],
  ['say reaches no other room', ['421["join","ROOM"]', answered(1), '42["say","elsewhere","x"]'], ['431[{"ok":true,"recovered":false}]'], open],
  ['drop closes', ['42["drop"]'], [], closed],
];

const binary = [
  ['an attachment', [`451-["message",${slot(0)}]`, one], [`451-["message-back",${slot(0)}]`, one], open],
  ['an empty attachment', [`451-["message",${slot(0)}]`, []], [`451-["message-back",${slot(0)}]`, []], open],
  ['two attachments', [`452-["message",${slot(0)},{"a":[${slot(1)},"x"]}]`, one, two], [`452-["message-back",${slot(0)},{"a":[${slot(1)},"x"]}]`, one, two], open],
  ['slots in another order', [`452-["message",${slot(1)},${slot(0)}]`, one, two], [`452-["message-back",${slot(0)},${slot(1)}]`, two, one], open],
  ['a slot twice', [`451-["message",${slot(0)},${slot(0)}]`, one], [`452-["message-back",${slot(0)},${slot(1)}]`, one, one], open],
  ['keys of a slot in another order', ['451-["message",{"num":0,"_placeholder":true}]', one], [`451-["message-back",${slot(0)}]`, one], open],
  ['an attachment that no slot names', ['451-["message","x"]', one], ['42["message-back","x"]'], open],
  ['ten attachments', [`4510-["message",${many(10, slot)}]`, ...many(10, (i) => [i])], [`4510-["message-back",${many(10, slot)}]`, ...many(10, (i) => [i])], open],
  ['an ack with attachments', [`451-12["message-with-ack",${slot(0)},"x"]`, one], [`461-12[${slot(0)},"x"]`, one], open],
  ['an event with attachments of another namespace', ['40/custom,', `451-/custom,["nobody",${slot(0)}]`, one], hello_custom, open],
  ['an attachment to a room', ['421["join","ROOM"]', answered(1), `451-["say","ROOM",${slot(0)}]`, one], ['431[{"ok":true,"recovered":false}]', `451-["said",${slot(0)}]`, one], open],
  ['an ack with attachments that nobody waits for', [`461-7[${slot(0)}]`, one], [], open],
  ['a pong between attachments', [`452-["message",${slot(0)},${slot(1)}]`, one, '3', two], [`452-["message-back",${slot(0)},${slot(1)}]`, one, two], open],
  ['events around attachments keep their order', ['42["message",1]', `451-["message",${slot(0)}]`, one, '42["message",2]'],
    ['42["message-back",1]', `451-["message-back",${slot(0)}]`, one, '42["message-back",2]'], open],
  ...['450-["message"]', '45-["message"]', `45["message",${slot(0)}]`, `451["message",${slot(0)}]`, `451.5-["message",${slot(0)}]`, `45-1-["message",${slot(0)}]`,
    `4511-["message",${many(11, slot)}]`, '45', '451', '461', '450-'].map((packet) => [`closes: ${packet.slice(0, 30)}`, [packet], [], closed]),
  ['no attachments announced by an ack', ['460-1["x"]'], [], closed],
  ['text while an attachment is due', [`451-["message",${slot(0)}]`, '42["message"]'], [], closed],
  ['another namespace while an attachment is due', ['40/custom,', `451-["message",${slot(0)}]`, '42/custom,["x"]'], hello_custom, closed],
  ['bytes that nothing announced', [one], [], closed],
  ['one attachment too many', [`451-["message",${slot(0)}]`, one, two], [`451-["message-back",${slot(0)}]`, one], closed],
  ...['1', '-1', '"0"', '"splice"', 'null', '1e9', '{}'].map((num) => [`a slot with num ${num}`, [`451-["message",${slot(num)}]`, one], [], closed]),
  ['a slot with num 0.5', [`451-["message",${slot(0.5)}]`, one], [], closed,
    { there: [[`451-["message",${slot(0.5)}]`, one], ['42["message-back",null]'], open], differs: 'the `num` of a placeholder is a whole number' }],
  ['a count that is not digits', [`451e1-["message",${slot(0)}]`], [], closed, { there: [[`42["message"]`], ['42["message-back"]'], open], differs: 'the number of attachments is digits' }],
  ['a slot without num', ['451-["message",{"_placeholder":true}]', one], [], closed],
  ['a slot that is not one', ['451-["message",{"_placeholder":false,"num":9}]', one], ['42["message-back",{"_placeholder":false,"num":9}]'], open],
  ['an attachment of a reserved name', [`451-["connect",${slot(0)}]`, one], [], closed],
  ['an attachment to who is not connected', [`451-/custom,["message",${slot(0)}]`, one], [], closed],
];

const hide_message = (line) => {
  const take = line.take.bind(line);
  line.take = (item) => take(typeof item === 'string' ? item.replace(/("error":"E_[A-Z_]+","message":)"[^"]*"/, '$1"*"') : item);
};

// What follows a CONNECT waits for its answer: nothing may be sent before. The reference obeys
// a packet one turn after it read it, and so has to get them one by one where that shows.
async function send_as_clients_do(line, packets, one_by_one = false) {
  let connects_sent = 0, from = 0;
  for (const [i, packet] of packets.entries()) {
    const is_connect = String(packet).startsWith('40'), must_wait = packet.count ?? 0;
    connects_sent += is_connect;
    if (!is_connect && !one_by_one && !must_wait && i < packets.length - 1)
      continue;
    line.send(...packets.slice(from, i + 1).filter((item) => !item.count));
    from = i + 1;
    await until(() => line.closed || !must_wait || line.came.length >= hello.length + must_wait, bound(3000));
    if (i < packets.length - 1)
      await until(() => line.closed || line.came.filter((came) => /^4[04]/.test(came)).length >= connects_sent, bound(3000));
    if (one_by_one)
      await sleep(60);
  }
}

let rooms_given = 0;

// Over each transport, and several packets also in one body; the rows of a connected client begin with a CONNECT of their own.
function run_packets(gateway, rows, prefix, over = lines) {
  const is_other = (Line, sent) => Line !== OnePostLine || sent.length > 1;
  const all = rows.flatMap(([name, sent, came, state, difference]) => over.filter((Line) => is_other(Line, sent)).map((Line) =>
    [`${name} [${Line.transport}]`, [Line, ...[sent, came]], state,
      difference && { ...difference, there: [[Line, difference.there[0], difference.there[1]], difference.there[2]] }]));

  return run_rows(gateway, all, {
    play: async (to, [, [Line, sent, came], state]) => {
      const line = new Line();
      hide_message(line);
      try {
        await line.open(to);
        const room = `r${rooms_given++}`, in_room = (item) => (typeof item === 'string' ? item.replace('ROOM', room) : item);
        await send_as_clients_do(line, [...prefix, ...sent].map(in_room), is_reference && (state === closed || sent.includes('41')));
        await line.hears(...(prefix.length ? hello : []), ...came);
        await state(line);
      } finally {
        line.close();
      }
    },
  });
}

test('packets have the effect that they have at the reference', with_conformance('calm', async (sidecast, t) => {
  await t.test('until a namespace is connected', () => run_packets(sidecast.gateway, connects, []));
  await t.test('once it is', () => run_packets(sidecast.gateway, events, ['40']));
  await t.test('with attachments', () => run_packets(sidecast.gateway, binary, ['40']));
  await t.test('with attachments that are too large', () => run_packets(sidecast.gateway, too_large, ['40'], [WebSocketLine, PollingLine]));
  await t.test('the ids of a connection and of its sockets are others', () => ids_are_others(sidecast.gateway));
  await t.test('who says a word and leaves is heard', () => last_words_are_heard(sidecast.gateway));
}));

const stays_open = async (line) => {
  await sleep(600);
  assert.equal(line.closed, null);
};
const half = [`452-["nobody",${slot(0)},${slot(1)}]`, one];
const large = [`452-["nobody",${slot(0)},${slot(1)}]`, many(600_000, () => 1), many(600_000, () => 1)];
const unfinished = [
  ['an attachment that does not come', half, [], closed, { there: [half, [], stays_open], differs: 'attachments that do not come within `limits.attachments_timeout`' }],
];
// As bodies of their own: one would be larger than a body may be.
const too_large = [
  ['attachments that are too large together', large, [], closed, { there: [large, [], open], differs: 'larger together than `gateway.max_message_size`' }],
];

test('attachments are waited for a while', with_conformance('calm', ({ gateway }) =>
  run_packets(gateway, unfinished, ['40']), { set: ['limits.attachments_timeout=300ms'] }));

async function ids_are_others(gateway) {
  for (const Line of lines) {
    const line = await new Line().open(gateway);
    await send_as_clients_do(line, ['40', '40/custom,', '41', '40'], true);
    const given = () => line.came.flatMap((packet) => packet.match(/^40.*"sid":"([\w-]{20})"/)?.[1] ?? []);
    await until(() => given().length === 3, bound(3000), () => `${given()}`);
    const sids = given();
    assert.equal(new Set([line.engine_sid, ...sids]).size, 4, `${sids}`);
    line.close();
  }
}

async function last_words_are_heard(gateway) {
  const listener = await new WebSocketLine().open(gateway);
  await send_as_clients_do(listener, ['40', '421["join","bye"]', answered(1)]);
  for (const [i, Line] of lines.entries()) {
    const line = await new Line().open(gateway);
    await send_as_clients_do(line, ['40', `42["say","bye",${i}]`, ...(Line === WebSocketLine ? [] : ['41', '1'])], is_reference);
    if (Line === WebSocketLine)
      line.socket.socket.close();
    await listener.hears(...(i ? [] : [...hello, '431[{"ok":true,"recovered":false}]']), `42["said",${i}]`);
    line.close();
  }
  listener.close();
}

const unconnected = [
  ['nothing', [], true],
  ['a refusal', ['40/auth,', '40/random,'], true],
  ['a success', ['40'], false],
  ['a namespace that was left again', ['40/custom,', '41/custom,'], false],
].flatMap(([name, ...rest]) => lines.map((Line) => [`${name} [${Line.transport}]`, [Line, ...rest], []]));

async function connects_in_time(gateway, [, [Line, sent, is_due]]) {
  const began = performance.now(), line = await new Line().open(gateway);
  try {
    await send_as_clients_do(line, sent);
    await until(() => line.closed || performance.now() > began + (is_due ? bound(1000) + 1000 : 1500), bound(3000));
    assert.equal(Boolean(line.closed), is_due, `closed: ${line.closed}`);
    assert.ok(performance.now() - began >= 995, `closed after ${performance.now() - began} ms`);
  } finally {
    line.close();
  }
}

// A client that is not prompt itself is closed, too: on a loaded machine it may try again.
test('who connects no namespace is closed after connect_timeout', with_conformance('patient', ({ gateway }) =>
  run_rows(gateway, unconnected, { play: connects_in_time, attempts: 3 })));
