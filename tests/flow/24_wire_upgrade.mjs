// Engine.IO over WebSocket, and the upgrade from polling to it, frame by frame.
import assert from 'node:assert/strict';
import test from 'node:test';
import { is_reference, variants, with_conformance } from './lib/conformance.mjs';
import { close_ws, codes, gap, get, gone, hears, held, hold, lives, lives_on, nothing, post, refused, say,
  upgraded, ws, ws_closed, ws_refused } from './lib/engine_io.mjs';
import { bound, until } from './lib/wait.mjs';
import { run_rows } from './lib/wire_rows.mjs';

const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const bare = (code) => [`400 ${codes[code]}`, { 'content-type': 'text/html', connection: 'close' }];
const opened = /^0\{"sid":"[\w-]{20,24}","upgrades":\[\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$/;

// A WebSocket without a polling session before it, its open packet read.
const connect = (name, query, options) => [ws(name, query, options), async (visit) => {
  await hears_open(visit, name);
}];

async function hears_open(visit, name) {
  const socket = visit.socket(name), end = performance.now() + 15_000;
  while (socket.frames.length === 0 && performance.now() < end && !socket.closed)
    await new Promise((resolve) => setTimeout(resolve, 5));
  if (!opened.test(String(socket.frames[0])))
    throw new Error(`the first frame is ${socket.frames[0]}, ${JSON.stringify(socket.closed ?? socket.refused)}`);
  socket.heard = 1;
}

const refusals = [
  ['an unknown transport is refused before the 101', [ws('a', '?EIO=4&transport=x'), ws_refused('a', ...bare(0))], nothing],
  ['an unknown sid is refused before the 101', [ws('a', '&sid=none'), ws_refused('a', ...bare(1))], nothing],
  ['code 0 comes before 1', [ws('a', '?EIO=4&transport=&sid=none'), ws_refused('a', ...bare(0))], nothing],
  ...['transport=websocket', 'EIO=3&transport=websocket', 'EIO=5&transport=websocket'].map((query) =>
    [`another version is refused before the 101: ${query}`, [ws('a', `?${query}`), ws_refused('a', ...bare(5))], nothing,
      { there: [[ws('a', `?${query}`), ws_closed('a', 1006)], nothing], differs: 'another `EIO` over WebSocket is refused before the 101' }]),
  ['polling over an Upgrade is refused', [ws('a', '?EIO=4&transport=polling'), ws_refused('a', ...bare(3))], nothing,
    { there: [[ws('a', '?EIO=4&transport=polling'), ws_closed('a')], nothing], differs: '`transport=polling` with an Upgrade is refused before the 101' }],
];

const bytes = (...list) => list;
const sockets = [
  ['a message comes back', [...connect('a'), say('a', '4a'), hears('a', '4a')], lives_on('a')],
  ['of a repeated EIO the last counts', connect('a', '?EIO=3&EIO=4&transport=websocket'), lives_on('a')],
  ['a longer path is the same', connect('a', '', { path: '/engine.io/foo/' }), lives_on('a')],
  ['an empty message is one', [...connect('a'), say('a', '4'), hears('a', '4')], lives_on('a')],
  ['a binary frame is the message itself', [...connect('a'), say('a', bytes(4, 1, 255)), hears('a', bytes(4, 1, 255))], lives_on('a')],
  ['an empty binary frame is a message', [...connect('a'), say('a', bytes()), hears('a', bytes())], lives_on('a')],
  ['base64 in a text frame is a message of bytes', [...connect('a'), say('a', 'bAQID'), hears('a', bytes(1, 2, 3))], lives_on('a')],
  ['the separator of payloads is text in a frame', [...connect('a'), say('a', '4a\x1e4b'), hears('a', '4a\x1e4b')], lives_on('a')],
  ['text is UTF-8', [...connect('a'), say('a', '4é😀\u2028'), hears('a', '4é😀\u2028')], lives_on('a')],
  ['500 messages keep their order', [...connect('a'), say('a', ...many(500, (i) => (i % 7 ? `4${i}` : bytes(i & 255, 1)))),
    hears('a', ...many(500, (i) => (i % 7 ? `4${i}` : bytes(i & 255, 1))))], lives_on('a')],
  ...['3', '0', '5', '6', '3probe'].map((packet) => [`ignored: ${packet}`, [...connect('a'), say('a', packet)], lives_on('a')]),
  ...['', '7', 'X', ' 4', '2', '2probe'].map((packet) => [`closes: ${JSON.stringify(packet)}`, [...connect('a'), say('a', packet)], [ws_closed('a')]]),
  ['1 closes', [...connect('a'), say('a', '1')], [ws_closed('a', 1000)],
    { there: [[...connect('a'), say('a', '1')], lives_on('a')], differs: '`1` (close) over WebSocket closes' }],
  ['a message as long as maxPayload passes', [...connect('a'), say('a', `4${'x'.repeat(999_999)}`), hears('a', `4${'x'.repeat(999_999)}`)], lives_on('a')],
  ['one byte more closes with 1009', [...connect('a'), say('a', `4${'x'.repeat(1_000_000)}`)], [ws_closed('a', 1009)]],
  ['fragments are one message', [...connect('a'), fragments('a', '4fr', 'agm', 'ents'), hears('a', '4fragments')], lives_on('a')],
  ['fragments are counted together', [...connect('a'), fragments('a', `4${'x'.repeat(600_000)}`, 'x'.repeat(600_000))], [ws_closed('a', 1009)]],
  ['text that is not UTF-8 closes with 1007', [...connect('a'), not_utf8('a')], [ws_closed('a', 1007)]],
  ['a subprotocol is refused', [ws('a', '', { protocols: ['x'] }), (visit) => assert.equal(visit.socket('a').refused?.status, 400)], nothing,
    { there: [connect('a', '', { protocols: ['x'] }), lives_on('a')], differs: 'a WebSocket subprotocol is refused' }],
  ['compression is not agreed on', [...connect('a'), (visit) => {
    if (visit.socket('a').socket.extensions !== '')
      throw new Error(visit.socket('a').socket.extensions);
  }], nothing],
  ['a WebSocket has no polling beside it', [...connect('a'), (visit) => {
    visit.sid = JSON.parse(String(visit.socket('a').frames[0]).slice(1)).sid;
  }], [get(refused(3)), post('4x', refused(3)), ...lives_on('a')]],
  ['a WebSocket that is closed ends its session', [...connect('a'), (visit) => {
    visit.sid = JSON.parse(String(visit.socket('a').frames[0]).slice(1)).sid;
  }, close_ws('a')], gone],
];

function fragments(name, ...parts) {
  return (visit) => parts.forEach((part, i) => visit.socket(name).socket.send(part, { fin: i === parts.length - 1 }));
}

function not_utf8(name) {
  return (visit) => visit.socket(name).socket.send(Buffer.from('34ff', 'hex'), { binary: false });
}

const in_turn = (...steps) => async (visit) => {
  for (const step of steps)
    await step(visit);
};
// What must take so long at least, since it began or since `since(visit)`. It has to begin with
// what starts the server's clock: an answer may be read late.
const no_sooner = (ms, step, since = () => performance.now()) => async (visit) => {
  const began = since(visit);
  await step(visit);
  const took = performance.now() - began;
  if (took < ms - 5)
    throw new Error(`after ${took} ms already, ${ms} were due`);
};
const since_open = (visit) => visit.began;
const no_later = (ms, step) => async (visit) => {
  const began = performance.now();
  await step(visit);
  const took = performance.now() - began;
  if (took > bound(ms))
    throw new Error(`after ${took} ms, ${ms} were due`);
};

const probe = (name) => [ws(name), say(name, '2probe'), hears(name, '3probe')];
// Requests on other connections may overtake the 5: what follows it on the same must be back.
const commit = (name) => [say(name, '5', '4swapped'), hears(name, '4swapped')];
const swap = (name) => [...probe(name), say(name, '5')];

const upgrades = [
  ['a probe alone leaves the session polling', probe('a'), lives],
  ['2probe, 5 and a message', [...swap('a'), say('a', '4hello'), hears('a', '4hello')], [...upgraded, ...lives_on('a')]],
  ['all three in one go', [ws('a'), say('a', '2probe', '5', '4hello'), hears('a', '3probe', '4hello')], [...upgraded, ...lives_on('a')]],
  ['5 without a probe', [ws('a'), say('a', '5', '4hello'), hears('a', '4hello')], upgraded],
  ['a second probe is answered, too', [...probe('a'), say('a', '2probe'), hears('a', '3probe'), say('a', '5', '4x'), hears('a', '4x')], upgraded],
  ...['2', '2prob', '4x', [4, 5], '6', '1', '3', ''].map((first) =>
    [`the probe is closed by ${JSON.stringify(first)}`, [ws('a'), say('a', first), ws_closed('a')], lives]),
  ['a probe that goes wrong after its start is closed', [...probe('a'), say('a', '4x'), ws_closed('a')], lives],
  ['after a probe that failed another may be made', [ws('a'), say('a', '4x'), ws_closed('a'), ...swap('b'), say('b', '4x'), hears('b', '4x')], upgraded],
  ['a probe that leaves lets the session be', [...probe('a'), close_ws('a'), gap(100)], lives],
  ['a probe that leaves before it began, too', [ws('a'), close_ws('a'), gap(100)], lives],
  ['a GET held at the probe gets 6', [hold('a'), ...probe('a'), held('a', '200 6')], lives],
  ['each GET until 5 gets 6', [...probe('a'), get('200 6'), get('200 6'), get('200 6'), ...commit('a')], upgraded],
  ['and gets it soon', [...probe('a'), no_later(200, get('200 6')), no_later(200, get('200 6')), ...commit('a')], upgraded],
  ['but not in a loop', [no_sooner(300, in_turn(...probe('a'), ...many(4, () => get('200 6'))))], lives],
  ['a GET held when 5 arrives gets 1', [ws('a'), hold('a'), say('a', '5'), held('a', '200 1')], upgraded],
  ['what comes during the probe goes by the held GET', [...probe('a'), post('4a'), get('200 4a'), ...commit('a')], [...upgraded, ...lives_on('a')]],
  ['what no GET took goes over the WebSocket after 5', [...probe('a'), post('4a\x1ebAQI=\x1e4b'), post('4c'), say('a', '5'), hears('a', '4a', [1, 2], '4b', '4c')],
    [...upgraded, ...lives_on('a')]],
  ['nothing but 3probe is sent before 5', [...probe('a'), post('4a'), gap(200), get('200 4a'), say('a', '5', '4b'), hears('a', '4b')], upgraded],
  ['500 messages keep their order over the upgrade', [...probe('a'), post(many(500, (i) => `4${i}`).join('\x1e')), say('a', '5', '4last'),
    hears('a', ...many(500, (i) => `4${i}`), '4last')], upgraded],
  ['a second WebSocket while probing is closed, the first goes on', [...probe('a'), ws('b'), ws_closed('b'), say('a', '5', '4x'), hears('a', '4x')], upgraded],
  ['a second WebSocket after the upgrade is closed, the first goes on', [...swap('a'), say('a', '4x'), hears('a', '4x'), ws('b'), ws_closed('b')],
    [...upgraded, ...lives_on('a')]],
  ['the WebSocket closed after the upgrade ends the session', [...swap('a'), say('a', '4x'), hears('a', '4x'), close_ws('a'), gap(100)], gone],
  ['a session that ends closes its probe', [...probe('a'), post('X'), ws_closed('a')], gone],
  ['1 by POST while probing closes the probe', [...probe('a'), post('1'), ws_closed('a')], gone],
  ['another version may not upgrade', [ws('a', '&EIO=3'), ws_refused('a', ...bare(3))], lives],
  ['a packet of the client is not lost by 5', [...probe('a'), post('4by POST'), say('a', '5', '4by WebSocket'), hears('a', '4by POST', '4by WebSocket')], upgraded],
];

test('WebSockets go as at the reference', with_conformance('calm', async ({ gateway }, t) => {
  await t.test('those that are refused are so before the 101', () => run_rows(gateway, refusals, { is_new: true }));
  await t.test('frames have the effect that they have there', () => run_rows(gateway, sockets, { is_new: true }));
  await t.test('an upgrade loses nothing', () => run_rows(gateway, upgrades));
}));

test('a probe that does not end is closed, and polling goes on', with_conformance('open', (sidecast) =>
  run_rows(sidecast.gateway, [
    ['after 3probe', [no_sooner(variants.open.upgrade_timeout, in_turn(...probe('a'), ws_closed('a')))], lives],
    ['before 2probe', [no_sooner(variants.open.upgrade_timeout, in_turn(ws('a'), ws_closed('a')))], lives],
    ['and another may follow', [...probe('a'), ws_closed('a'), ...swap('b'), say('b', '4x'), hears('b', '4x')], upgraded],
  ])));

// --- heartbeats --------------------------------------------------------------------------

const { ping_interval, ping_timeout } = variants.quick;

// Polls without a pong until the session is gone.
const until_gone = async (visit) => {
  for (let i = 0; i < 4; i++) {
    const { status, text } = await visit.request('GET', visit.polling_query()).end().whole();
    if (status === 400)
      return;
    if (!['2', '1'].includes(text))
      throw new Error(text);
  }
  throw new Error('the session is not gone');
};
const open_ws = (name) => [ws(name), async (visit) => {
  await until(() => visit.socket(name).frames.length, 15_000);
  visit.socket(name).heard = 1;
}];
const pings_at_frame_level = (name) => (visit) => {
  const { socket } = visit.socket(name), timer = setInterval(() => socket.ping(), 50);
  socket.once('close', () => clearInterval(timer));
};

const next_ping = no_sooner(ping_interval, in_turn(post('3'), get('200 2')));
const next_ping_of = (name) => no_sooner(ping_interval, in_turn(say(name, '3'), hears(name, '2')));

const beats = [
  ['a held GET gets the ping', [no_sooner(ping_interval, get('200 2'), since_open), next_ping, next_ping, post('3')], lives],
  ['the interval begins at the pong', [get('200 2'), gap(200), next_ping, post('3')], lives],
  ['a pong that nobody asked for begins it, too', [gap(100), next_ping, post('3')], lives],
  ['a ping that comes with a message is in the same answer', [gap(ping_interval + 150), post('4a'), get('200 2\x1e4a'), post('3')], lives],
  ['the heartbeat outlives the upgrade', [...probe('a'), say('a', '5'), hears('a', '2'), next_ping_of('a'), say('a', '3')],
    [...upgraded, ...lives_on('a')]],
  ['a ping during the probe may be answered after it', [...probe('a'), gap(ping_interval + 100), get('200 2'), say('a', '5', '3', '4a'), hears('a', '4a')],
    upgraded],
];
const beats_of_sockets = [
  ['a WebSocket is pinged again and again', [no_sooner(ping_interval, in_turn(...open_ws('a'), hears('a', '2'))), next_ping_of('a'), next_ping_of('a'), say('a', '3')],
    lives_on('a')],
];
// docs/protocol.md: a WebSocket is closed with 1000 when its client asked for it, with 1001 when it shows no life
const silent = is_reference ? 1005 : 1001;
const lifeless = ping_interval + ping_timeout;
const silences = [
  ['who polls and does not answer pings', [no_sooner(lifeless, until_gone, since_open)], nothing],
  ['who does not even poll', [gap(lifeless + 500)], [until_gone]],
  ['who falls silent after the upgrade', [...probe('a'), say('a', '5'), hears('a', '2'), no_sooner(lifeless, ws_closed('a', silent), since_open)], gone],
];
const silences_of_sockets = [
  ['a WebSocket that does not answer', [no_sooner(lifeless, in_turn(...open_ws('a'), hears('a', '2'), ws_closed('a', silent)))], nothing],
  ['a WebSocket that pings by itself only', [no_sooner(lifeless, in_turn(...open_ws('a'), pings_at_frame_level('a'), hears('a', '2'), ws_closed('a', silent)))], nothing],
];

// These rows want a client that is prompt itself, which on a loaded machine it is not always.
const attempts = 3;
test('who answers pings lives on', with_conformance('patient', ({ gateway }) =>
  Promise.all([run_rows(gateway, beats, { attempts }), run_rows(gateway, beats_of_sockets, { is_new: true, attempts })])));
test('who does not answer pings is closed in time', with_conformance('quick', ({ gateway }) =>
  Promise.all([run_rows(gateway, silences, { attempts }), run_rows(gateway, silences_of_sockets, { is_new: true, attempts })])));
