// Engine.IO over HTTP, request by request: what the reference server answers, and the state
// that it leaves the session in. Where ours differs on purpose, a row names the line of
// docs/protocol.md that says so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { page, with_conformance } from './lib/conformance.mjs';
import { abort, ask, ask_known, begin_post, finish_post, gap, get, get_all, gone, held, hold, lives, nothing,
  post, refused } from './lib/engine_io.mjs';
import { run_rows } from './lib/wire_rows.mjs';

const polling = 'EIO=4&transport=polling';
const opened = '200 0{"sid":"*","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const long = `4${'é'.repeat(2500)}`;
const as_text = { 'content-type': 'text/plain; charset=UTF-8', 'cache-control': 'no-store' };
const no_cors = { 'access-control-allow-origin': undefined, 'access-control-allow-credentials': undefined };

const first_requests = [
  ['a handshake answers the five keys', [ask('GET', polling, opened, { gives: {
    ...as_text, ...no_cors, 'set-cookie': undefined, 'content-encoding': undefined } })], nothing],
  ['an empty sid is none', [ask('GET', `${polling}&sid=`, opened)], nothing],
  ...['transport=polling', 'transport=polling&EIO=3', 'transport=polling&EIO=5', 'transport=polling&EIO=abc',
    'transport=polling&EIO=04', 'transport=polling&EIO='].map((query) =>
    [`a version that is not 4 has code 5: ${query}`, [ask('GET', query, refused(5))], nothing]),
  ['of a repeated EIO the last counts', [ask('GET', 'EIO=3&EIO=4&transport=polling', opened)], nothing],
  ['of a repeated transport the last counts', [ask('GET', 'EIO=4&transport=x&transport=polling', opened)], nothing],
  ['of a repeated sid the last counts', [ask('GET', `${polling}&sid=none&sid=`, opened)], nothing],
  ['the query is read as it stands', [ask('GET', 'EIO=4&transport=poll%69ng', refused(0))], nothing,
    { there: [[ask('GET', 'EIO=4&transport=poll%69ng', opened)], nothing], differs: 'parameters of Engine.IO are not percent-decoded' }],
  ['other parameters are let be', [ask('GET', `${polling}&t=Oxy%20z&b64=1&token=a%2Bb&&x&=y`, opened)], nothing],
  ['a longer path is the same', [ask('GET', polling, opened, { path: '/engine.io/foo/' })], nothing],
  ...['EIO=4', 'EIO=4&transport=', 'EIO=4&transport=constructor', 'EIO=4&transport=__proto__', 'EIO=4&transport=webtransport',
    'EIO=4&transport=Polling', 'EIO=4&transport=polling%20', 'EIO=4&transport=pollin'].map((query) =>
    [`an unknown transport has code 0: ${query}`, [ask('GET', query, refused(0))], nothing]),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) =>
    [`a handshake by ${method} has code 2`, [ask(method, polling, refused(2))], nothing]),
  ['a handshake by HEAD has 400 and no body', [ask('HEAD', polling, '400 ')], nothing],
  ['websocket without Upgrade has code 3', [ask('GET', 'EIO=4&transport=websocket', refused(3))], nothing],
  ...['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'].map((method) =>
    [`an unknown sid has code 1 by ${method}`, [ask(method, `${polling}&sid=AAAAAAAAAAAAAAAAAAAAAAAA`, refused(1))], nothing]),
  ...['constructor', '__proto__', 'x', '%00', 'A'.repeat(2000)].map((sid) =>
    [`a sid of strange shape is unknown: ${sid.slice(0, 20)}`, [ask('GET', `${polling}&sid=${sid}`, refused(1))], nothing]),
  ['code 0 comes before 1, 2 and 5', [ask('POST', 'EIO=3&transport=x&sid=none', refused(0))], nothing],
  ['code 1 comes before 3 and 5', [ask('GET', 'EIO=3&transport=websocket&sid=none', refused(1))], nothing],
  ['code 2 comes before 3 and 5', [ask('POST', 'EIO=3&transport=websocket', refused(2))], nothing],
  ['code 3 comes before 5', [ask('GET', 'EIO=3&transport=websocket', refused(3))], nothing],
  ['another path is not found', [async (visit) => {
    assert.equal((await visit.request('GET', polling, { path: '/engine.i/' }).end().whole()).status, 404);
  }], nothing],
  ['the path may end without its slash', [ask('GET', polling, opened, { path: '/engine.io' })], nothing,
    { there: [[ask('GET', polling, '404 ', { path: '/engine.io' })], nothing], differs: 'a mount is found without its last slash' }],
  ['JSONP is not spoken', [ask('GET', `${polling}&j=0`, opened)], nothing,
    { there: [[], nothing], differs: '`j=` (JSONP) is ignored' }],
];

const posts = [
  ['a message comes back', [post('4a', '200 ok', { gives: { 'content-type': 'text/html', 'content-length': '2', 'cache-control': 'no-store' } }),
    get('200 4a', { gives: as_text })], lives],
  ['an empty message is one', [post('4'), get('200 4')], lives],
  ['text is UTF-8', [post('4grüße 😀 日本 \u2028'), get('200 4grüße 😀 日本 \u2028')], lives],
  ['bytes come as base64 and go so', [post('bAQID/w=='), get('200 bAQID/w==')], lives],
  ['base64 needs no padding', [post('bAQ'), get('200 bAQ==')], lives],
  ['packets of a body keep their order', [post('4a\x1ebAQ==\x1e4b\x1e4'), get('200 4a\x1ebAQ==\x1e4b\x1e4')], lives],
  ['two bodies are one answer', [post('4a'), post('4b'), get('200 4a\x1e4b')], lives],
  ['a held GET gets what comes', [hold('a'), post('4x'), held('a', '200 4x')], lives],
  ['500 messages keep their order', [post(many(500, (i) => `4${i}`).join('\x1e')), get_all(many(500, (i) => `4${i}`))], lives],
  ['a body may hold 100000 packets', [post(`${'3\x1e'.repeat(99_999)}4last`), get('200 4last')], lives],
  ['a chunked body is read', [post('4chunked', '200 ok', { headers: { 'transfer-encoding': 'chunked' } }), get('200 4chunked')], lives],
  ['a body may be waited for', [post('4expected', '200 ok', { headers: { expect: '100-continue', 'content-length': '9' } }),
    get('200 4expected')], lives],
  ...['text/plain;charset=UTF-8', 'application/json', 'application/x-www-form-urlencoded'].map((type) =>
    [`a body of ${type} is read`, [post('4a', '200 ok', { headers: { 'content-type': type } }), get('200 4a')], lives]),
  ['a body of application/octet-stream ends the session',
    [post('4a', '400 ', { headers: { 'content-type': 'application/octet-stream' } })], gone],
  ...['3', '0', '5', '6', '6\x1e3\x1e0{}\x1e5'].map((body) => [`ignored: ${body.split('\x1e')}`, [post(body)], lives]),
  ...['', 'X', '7', ' 4', '4a\x1e', '\x1e', '4a\x1e\x1e4b', '4a\x1eX', '2', '2probe', '4a\x1e2'].map((body) =>
    [`ends the session: ${JSON.stringify(body)}`, [post(body)], gone]),
  ['what stands before a bad packet is delivered', [hold('a'), post('4a\x1eX'), held('a', '200 4a\x1e1')], gone,
    { there: [[hold('a'), post('4a\x1eX'), held('a', '200 4a')], gone], differs: 'the answer to the last GET of a session that ends says so' }],
  ['a bad packet ends a held GET with 1', [hold('a'), post('X'), held('a', '200 1')], gone],
  ['a ping from the client ends a held GET with 1', [hold('a'), post('2'), held('a', '200 1')], gone],
  ['a body as long as maxPayload passes', [post(`4${'x'.repeat(999_999)}`), get(`200 4${'x'.repeat(999_999)}`)], lives],
  ['a body one byte longer is 413', [post(`4${'x'.repeat(1_000_000)}`, '413 ')], lives],
  ['the bytes are counted, not the characters', [post(`4${'é'.repeat(500_000)}`, '413 ')], lives],
  ['a chunked body that is too long is 413',
    [post(`4${'x'.repeat(1_000_000)}`, '413 ', { headers: { 'transfer-encoding': 'chunked' } })], lives],
  ['a body that is not UTF-8 ends the session', [post(Buffer.from('34ff61', 'hex'))], gone,
    { there: [[post(Buffer.from('34ff61', 'hex')), get('200 4\ufffda')], lives], differs: 'a body that is not UTF-8 ends the session' }],
];

const overlaps = [
  ...['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map((method) =>
    [`${method} with a known sid is 500`, [ask_known(method, '500 ')], lives]),
  ['a known sid with websocket and no Upgrade has code 3',
    [ask_known('GET', refused(3), { query: '&transport=websocket' })], lives],
  ['a known sid with another version has code 3', [ask_known('GET', refused(3), { query: '&EIO=3' })], lives],
  ['a known sid without a version has code 3', [(visit) => ask('GET', `transport=polling&sid=${visit.sid}`, refused(3))(visit)], lives],
  ['a known sid with an unknown transport has code 0', [ask_known('GET', refused(0), { query: '&transport=x' })], lives],
  ['a second GET ends the session', [hold('a'), get('400 '), held('a', '200 1')], gone],
  ['a GET that is aborted ends the session', [hold('a'), abort('a')], gone],
  ['a GET that was answered may be left', [post('4a'), get('200 4a'), gap(50)], lives],
  ['a second POST ends the session', [begin_post('a', '4a'), post('4b', '400 '), finish_post('a', 'b'), held('a', 'cut ')], gone],
  ['a POST that is aborted ends the session', [begin_post('a', '4a'), abort('a')], gone],
  ['a POST may be slow', [begin_post('a', '4a'), finish_post('a', 'b'), held('a', '200 ok'), get('200 4ab')], lives],
  ['1 ends a held GET with 6', [hold('a'), post('1'), held('a', '200 6')], gone],
  ['1 without a GET ends the session', [post('1')], gone],
  ['what would go to who says 1 is dropped', [hold('a'), post('4a\x1e1'), held('a', '200 6')], gone,
    { there: [[hold('a'), post('4a\x1e1'), held('a', '200 4a')], gone], differs: 'what waits for a client that says `1` is dropped' }],
];

// All that polls give until the session is said to be over.
const until_told_over = (wanted) => async (visit) => {
  const came = [];
  while (!came.includes('1') && came.length < 10) {
    const { status, text } = await visit.request('GET', visit.polling_query()).end().whole();
    assert.equal(status, 200, text);
    came.push(...text.split('\x1e').filter((packet) => packet !== '6'));
  }
  assert.deepEqual(came, wanted);
};
const connected = [post('40'), async (visit) => {
  const { text } = await visit.request('GET', visit.polling_query()).end().whole();
  if (!text.includes('auth')) // the greeting may be in the next answer
    await visit.request('GET', visit.polling_query()).end().whole();
}];
const ends = [
  ['the server ends it while a GET is held', [...connected, hold('a'), post('42["drop"]'), held('a', '200 1')], gone],
  ['the server ends it while none is held', [...connected, post('42["drop"]'), gap(50), until_told_over(['1'])], gone],
  ['what waited comes before', [...connected, post('42["message",1]\x1e42["drop"]'), gap(50), until_told_over(['42["message-back",1]', '1'])], gone],
];

const zip = (coding) => ({ headers: { 'accept-encoding': coding } });
const compressed = [
  ...[['gzip', 'gzip'], ['deflate', 'deflate'], ['gzip, deflate, br', 'gzip'], ['deflate;q=0.5, gzip', 'gzip'], ['*', 'gzip'],
    ['br', undefined], ['identity', undefined], ['gzip;q=0', undefined], ['gzip;q=0, deflate', 'deflate']].map(([accepted, coding]) =>
    [`5 kB to who accepts ${accepted}`, [post(long), get(`200 ${long}`, { ...zip(accepted), gives: { ...as_text, 'content-encoding': coding } })], lives]),
  ['what is short stays plain', [post('4short'), get('200 4short', { ...zip('gzip'), gives: { 'content-encoding': undefined } })], lives],
  ['an answer to a held GET is compressed, too', [hold('a', zip('gzip')), post(long), held('a', `200 ${long}`)], lives],
];

test('requests have the answers of the reference', with_conformance('calm', async ({ gateway }, t) => {
  await t.test('first requests', () => run_rows(gateway, first_requests, { is_new: true }));
  await t.test('bodies', () => run_rows(gateway, posts));
  await t.test('requests that overlap, or are aborted', () => run_rows(gateway, overlaps));
  await t.test('the next GET after the server ended a session', () => run_rows(gateway, ends, { path: '/socket.io/' }));
  await t.test('long answers, compressed as they are accepted', () => run_rows(gateway, compressed));
}));

const from_page = { headers: { origin: page } };
const allowed = { 'access-control-allow-origin': page, 'access-control-allow-credentials': 'true' };
const preflight = { headers: { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,x-a' } };
const from_elsewhere = { headers: { origin: 'https://evil.example' }, gives: { 'access-control-allow-origin': undefined } };

const crossing = [
  ['a listed page may read the handshake', [ask('GET', polling, opened, { ...from_page, gives: { ...allowed, vary: 'Origin' } })], nothing],
  ['a listed page may read errors', [ask('GET', 'EIO=3&transport=polling', refused(5), { ...from_page, gives: allowed })], nothing],
  ['a listed page may read an unknown sid', [ask('GET', `${polling}&sid=none`, refused(1), { ...from_page, gives: allowed })], nothing],
  ['a preflight is 204', [ask('OPTIONS', polling, '204 ', { ...preflight, gives: { ...allowed,
    'access-control-allow-headers': 'authorization,x-a' } })], nothing],
  ['a preflight is 204 whatever it names', [ask('OPTIONS', `${polling}&sid=none`, '204 ', { ...preflight, gives: allowed })], nothing],
];
const crossing_known = [
  ['a listed page may read its polls', [post('4a', '200 ok', { ...from_page, gives: allowed }), get('200 4a', { ...from_page, gives: allowed })], lives],
  ['a listed page may read 413', [post(`4${'x'.repeat(1_000_000)}`, '413 ', { ...from_page, gives: allowed })], lives],
  ['a listed page may read 400 of an overlap', [hold('a', from_page), get('400 ', { ...from_page, gives: allowed }), held('a', '200 1')], gone],
  ['another page is refused', [ask_known('GET', refused(4), from_elsewhere)], lives,
    { there: [[], lives], differs: 'a page whose origin is not allowed gets 403' }],
];

test('pages of other origins may read what they are allowed', with_conformance('open', async (sidecast) => {
  await run_rows(sidecast.gateway, crossing, { is_new: true });
  await run_rows(sidecast.gateway, crossing_known);
}));
