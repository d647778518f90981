// The three kinds of client: the official one, the native protocol, and Socket.IO spoken by
// hand, which shows the very bytes.
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { until } from './wait.mjs';

const wait_ms = 10_000;

// The official client, connected. `events` collects [name, ...args] of all that comes.
export async function connect(sidecast, { token = sidecast.token, rooms = [], ...options } = {}) {
  const socket = io(sidecast.gateway, {
    transports: ['websocket'], forceNew: true, reconnection: false, auth: { token }, ...options,
  });
  socket.received = [];
  socket.onAny((...event) => socket.received.push(without_offset(event)));
  socket.on('disconnect', (reason) => { socket.why_gone = reason; }); // perhaps at once
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });
  for (const room of rooms)
    await join(socket, room);
  return socket;
}

// An event as it was emitted: where clients may come back, its place in the log goes behind it.
export function without_offset(event) {
  return is_offset(event.at(-1)) ? event.slice(0, -1) : event;
}

export const is_offset = (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{8}-[0-9a-z]+$/.test(value);

export async function join(socket, room) {
  const answer = await socket.timeout(wait_ms).emitWithAck('subscribe', { room });
  if (!answer.ok)
    throw new Error(`may not join ${room}: ${JSON.stringify(answer)}`);
  return answer;
}

// A plain WebSocket whose frames are kept as they came.
export class Frames {
  constructor(url, options = {}) {
    this.frames = [];
    this.kinds = [];
    this.closed = null;
    this.refused = null;
    this.socket = new WebSocket(url, options.protocols ?? [], {
      perMessageDeflate: false, headers: options.headers,
    });
    this.socket.on('message', (data, is_binary) => this.take(data, is_binary));
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: String(reason) }; });
    this.socket.on('unexpected-response', (request, answer) => {
      this.refused = { status: answer.statusCode, headers: answer.headers, text: '' };
      answer.on('data', (data) => { this.refused.text += data; });
      answer.on('end', () => { this.refused.is_whole = true; });
    });
    this.socket.on('error', () => {}); // told by closed or refused
  }

  take(data, is_binary) {
    this.frames.push(data);
    this.kinds.push(is_binary);
  }

  // The frames from the nth on: text as it is, binary as an array of bytes.
  told(at = 0) {
    return this.frames.slice(at).map((frame, i) => (this.kinds[at + i] ? [...frame] : String(frame)));
  }

  async opened() {
    await until(() => this.socket.readyState === WebSocket.OPEN || this.closed, wait_ms);
    if (this.closed)
      throw new Error(`closed before it was open: ${JSON.stringify(this.closed)}`);
    return this;
  }

  // The first frame that `wanted` accepts; it need not be the next one.
  find(wanted, ms = wait_ms) {
    return this.first(this.frames, wanted, ms, () =>
      `no such frame; closed: ${JSON.stringify(this.closed)}, last frames:\n${this.frames.slice(-5).join('\n')}`);
  }

  // Of what has come and still comes; on a closed connection nothing does.
  async first(items, wanted, ms, describe) {
    const found = await until(() => items.find(wanted) ?? this.closed, ms, describe);
    if (found === this.closed)
      throw new Error(describe());
    return found;
  }

  send(text) {
    this.socket.send(text);
  }

  close() {
    this.socket.terminate();
  }
}

const ws_url = (sidecast, target) => `${sidecast.gateway.replace(/^http/, 'ws')}${target}`;

// The native dialect. `messages` holds what came, parsed; `frames` the bytes of the same.
export class Native extends Frames {
  messages = [];

  take(data, is_binary) {
    super.take(data, is_binary);
    this.messages.push(JSON.parse(data));
  }

  message(wanted, ms = wait_ms) {
    return this.first(this.messages, wanted, ms, () =>
      `no such message; closed: ${JSON.stringify(this.closed)}, last: ${JSON.stringify(this.messages.slice(-3))}`);
  }

  async subscribe(room, n) {
    this.send(JSON.stringify({ t: 'subscribe', room, n }));
    const ack = await this.message((m) => m.t === 'ack' && m.n === n);
    if (!ack.data.ok)
      throw new Error(`may not join ${room}: ${JSON.stringify(ack)}`);
  }
}

// Opens /ws without waiting for anything.
export function native_raw(sidecast, { query = '', ...options } = {}) {
  return new Native(ws_url(sidecast, `/ws${query}`), options);
}

export async function native(sidecast, { token = sidecast.token, rooms = [], headers = {} } = {}) {
  const client = native_raw(sidecast, { query: `?token=${token}`, headers });
  await client.opened();
  client.hello = await client.message((m) => m.t === 'connected');
  for (const [n, room] of rooms.entries())
    await client.subscribe(room, n);
  return client;
}

// Socket.IO over a WebSocket, by hand: answers pings, keeps all other frames.
export class SocketIoText extends Frames {
  take(data, is_binary) {
    if (String(data) === '2')
      this.send('3');
    else
      super.take(data, is_binary);
  }
}

export async function socketio_text(sidecast, { token = sidecast.token, rooms = [], auth = {} } = {}) {
  const client = new SocketIoText(ws_url(sidecast, '/socket.io/?EIO=4&transport=websocket'));
  await client.opened();
  client.handshake = JSON.parse(String(await client.find((f) => f[0] === 0x30)).slice(1));
  client.send(`40${JSON.stringify({ token, ...auth })}`);
  client.hello = JSON.parse(String(await client.find((f) => String(f).startsWith('40'))).slice(2));
  for (const [n, room] of rooms.entries()) {
    client.send(`42${n}["subscribe",${JSON.stringify({ room })}]`);
    const ack = String(await client.find((f) => String(f).startsWith(`43${n}[`)));
    if (!JSON.parse(ack.slice(ack.indexOf('[')))[0].ok)
      throw new Error(`may not join ${room}: ${ack}`);
  }
  return client;
}
