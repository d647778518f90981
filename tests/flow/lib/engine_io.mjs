// Engine.IO by hand, for tables: a row is a name, the steps of a client, and the state that
// the session is left in. Each step sends exact bytes and expects exact bytes.
import assert from 'node:assert/strict';
import http from 'node:http';
import zlib from 'node:zlib';
import { Frames } from './clients.mjs';
import { bound, sleep, until } from './wait.mjs';

const answer_ms = bound(3000);
// After so long what was written has been read, though nothing answers it.
const settle_ms = 200;

export const codes = ['Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request',
  'Forbidden', 'Unsupported protocol version'];
export const refused = (code) => `${code === 4 ? 403 : 400} ${JSON.stringify({ code, message: codes[code] })}`;

const hide_sid = (text) => text.replace(/"sid":"[\w-]{20,}"/, '"sid":"*"');

// One request, whose answer may be long in coming. `answer` fulfils with {status, headers,
// text} or, where the connection ends without one, with {status: 'cut'}.
export class Request {
  constructor(url, { method = 'GET', headers = {}, agent } = {}) {
    this.request = http.request(url, { method, headers, agent });
    this.answered = false;
    this.answer = new Promise((resolve) => {
      const end = (answer) => {
        this.answered = true;
        resolve(answer);
      };
      const cut = () => end({ status: 'cut', headers: {}, text: '' });
      this.request.on('error', cut);
      this.request.on('response', (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', cut);
        answer.on('end', () => end({
          status: answer.statusCode, headers: answer.headers, text: plain(answer, Buffer.concat(chunks)),
        }));
      });
    });
  }

  end(body) {
    this.request.end(body);
    return this;
  }

  // Done once the bytes are the kernel's.
  written(body) {
    return new Promise((resolve) => {
      this.request.on('error', resolve);
      this.request.write(body, resolve);
    });
  }

  ended() {
    return new Promise((resolve) => {
      this.request.on('error', resolve);
      this.request.end(resolve);
    });
  }

  async whole() {
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ status: 'late', headers: {}, text: '' }), answer_ms);
    });
    return await Promise.race([this.answer, late]).finally(() => clearTimeout(timer));
  }
}

function plain(answer, bytes) {
  const open = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync }[answer.headers['content-encoding']];
  return String(open ? open(bytes) : bytes);
}

// One row's client. Names in `held` and `sockets` are the row's.
export class Visit {
  constructor(gateway, path = '/engine.io/') {
    this.gateway = gateway;
    this.path = path;
    this.agent = new http.Agent({ keepAlive: true });
    this.held = new Map();
    this.sockets = new Map();
    this.sid = null;
    this.began = 0; // when the handshake was sent
  }

  target(query, path = this.path) {
    return `${this.gateway}${path}${query === null ? '' : `?${query}`}`;
  }

  polling_query() {
    return `EIO=4&transport=polling&sid=${this.sid}`;
  }

  request(method, query, { headers = {}, path } = {}) {
    return new Request(this.target(query, path), { method, headers, agent: this.agent });
  }

  async open() {
    this.began = performance.now();
    const { status, text } = await this.request('GET', 'EIO=4&transport=polling').end().whole();
    assert.equal(status, 200, text);
    this.sid = JSON.parse(text.slice(1)).sid;
    return this;
  }

  socket(name) {
    return this.sockets.get(name);
  }

  close() {
    for (const held of this.held.values())
      held.request.destroy();
    for (const socket of this.sockets.values())
      socket.close();
    this.agent.destroy();
  }
}

function check({ status, headers, text }, wanted, wanted_headers = {}) {
  assert.equal(hide_sid(`${status} ${text}`).slice(0, 4000), wanted.slice(0, 4000));
  for (const [name, value] of Object.entries(wanted_headers))
    assert.equal(headers[name], value, `the header ${name}`);
}

// --- steps: each gives what a visit does and expects ------------------------------------

// Any request; `answer` is `<status> <body>`.
export const ask = (method, query, answer, { headers, body, path, gives } = {}) => async (visit) =>
  check(await visit.request(method, query, { headers, path }).end(body).whole(), answer, gives);

// The same with the session's sid.
export const ask_known = (method, answer, { query = '', ...options } = {}) => (visit) =>
  ask(method, visit.polling_query() + query, answer, options)(visit);

export const post = (body, answer = '200 ok', options = {}) => ask_known('POST', answer, { body, ...options });
export const get = (answer, options) => ask_known('GET', answer, options);

// Polls until so many packets came, and compares them all.
export const get_all = (packets) => async (visit) => {
  const came = [];
  while (came.length < packets.length) {
    const { status, text } = await visit.request('GET', visit.polling_query()).end().whole();
    assert.equal(status, 200, text);
    came.push(...text.split('\x1e'));
  }
  assert.deepEqual(came, packets);
};

// A GET that is left open under a name.
export const hold = (name, options) => async (visit) => {
  visit.held.set(name, visit.request('GET', visit.polling_query(), options));
  await visit.held.get(name).ended();
  await sleep(settle_ms);
};

export const held = (name, answer) => async (visit) => check(await visit.held.get(name).whole(), answer);

export const abort = (name) => async (visit) => {
  visit.held.get(name).request.destroy();
  await sleep(settle_ms);
};

// A POST whose body is left unfinished under a name.
export const begin_post = (name, part, headers = {}) => async (visit) => {
  visit.held.set(name, visit.request('POST', visit.polling_query(), { headers }));
  await visit.held.get(name).written(part);
  await sleep(settle_ms);
};

export const finish_post = (name, rest) => (visit) => visit.held.get(name).end(rest);

// A WebSocket under a name; `query` says more, or replaces all when it begins with "?".
export const ws = (name, query = '', { protocols, headers, path } = {}) => async (visit) => {
  const sid = visit.sid ? `&sid=${visit.sid}` : '';
  const all = query.startsWith('?') ? query.slice(1) : `EIO=4&transport=websocket${sid}${query}`;
  const socket = new Frames(visit.target(all, path).replace(/^http/, 'ws'), { protocols, headers });
  visit.sockets.set(name, socket);
  await until(() => socket.socket.readyState === 1 || socket.closed || socket.refused?.is_whole, answer_ms, () =>
    'the WebSocket neither opened nor was refused');
};

// Refused before the 101: status and body, and that the answer closes the connection.
export const ws_refused = (name, answer, gives = {}) => (visit) => {
  const { refused: told } = visit.socket(name);
  assert.ok(told, 'it was not refused');
  check(told, answer, gives);
};

const as_frame = (data) => (Array.isArray(data) ? Buffer.from(data) : data);

export const say = (name, ...messages) => (visit) => {
  for (const message of messages)
    visit.socket(name).socket.send(as_frame(message));
};

// Exactly these frames came in this order since the last hears(); bytes are arrays.
export const hears = (name, ...wanted) => async (visit) => {
  const socket = visit.socket(name), at = socket.heard ?? 0;
  await until(() => socket.frames.length >= at + wanted.length || socket.closed, answer_ms, () =>
    `only ${socket.frames.slice(at)}`);
  socket.heard = at + wanted.length;
  assert.deepEqual(socket.told(at), wanted);
};

export const ws_closed = (name, code = 1005) => async (visit) => {
  const socket = visit.socket(name);
  await until(() => socket.closed, answer_ms, () => 'the WebSocket is still open');
  assert.equal(socket.closed.code, code);
  assert.deepEqual(socket.told(socket.heard ?? 0), []);
};

export const close_ws = (name) => async (visit) => {
  visit.socket(name).socket.close();
  await until(() => visit.socket(name).closed, answer_ms);
};

export const gap = (ms) => () => sleep(ms);

// --- the states a session is left in ----------------------------------------------------

export const lives = [post('4are you there'), get('200 4are you there')];
export const gone = [get(refused(1)), post('4x', refused(1))];
export const upgraded = [get(refused(3)), post('4x', refused(3))];
export const lives_on = (name) => [say(name, '4are you there'), hears(name, '4are you there')];
export const nothing = [];

// A row with a session of its own, or none: what it says, and what must hold afterwards.
export async function play(gateway, [, steps, state], { is_new = false, path } = {}) {
  const visit = new Visit(gateway, path);
  try {
    if (!is_new)
      await visit.open();
    for (const step of [...steps, ...state])
      await step(visit);
  } finally {
    visit.close();
  }
}
