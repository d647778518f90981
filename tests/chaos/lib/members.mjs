// Members of rooms that come and go, and write down all that happens to them: the official client
// over WebSocket and polling, and the native dialect.
import { io } from 'socket.io-client';
import { native_raw } from '../../flow/lib/clients.mjs';
import { sleep, until } from '../../flow/lib/wait.mjs';
import { sum_of } from './publishers.mjs';

export const mark = 'mark-';
const ack_ms = 5000;
const retry_ms = 200;
const silence_ms = 8000; // the house pings every 2 s
const native_back_ms = [50, 400]; // at least, and by chance

// What all have in common: which rooms are wanted, which are held, and the way from one to the other.
class Member {
  wanted = new Set();
  held = new Set();
  doubtful = new Set(); // asked for or given back, without an answer yet
  marks = new Set(); // ids that a scenario waits for
  is_moving = false;
  is_closed = false;

  constructor(house, history, who, claims) {
    Object.assign(this, { house, history, who, token: house.token(claims) });
  }

  add(op, more) {
    this.history.add(this.who, op, more);
  }

  take(data, position) {
    if (data?.id?.startsWith(mark))
      this.marks.add(data.id);
    const is_whole = data && sum_of(data.id, data.text) === data.sum;
    this.add('recv', { id: is_whole ? data.id : `${data?.id} spoiled`, ...(position && { position }) });
  }

  connected(recovered, more) {
    this.add('connect', { recovered: Boolean(recovered), ...more });
    if (!recovered) {
      this.held.clear();
      this.doubtful.clear();
    }
    this.move();
  }

  want(rooms) {
    this.wanted = new Set(rooms);
    return this.move();
  }

  is_settled() {
    return this.is_connected() && !this.is_moving && !this.next_step();
  }

  next_step() {
    for (const room of this.wanted)
      if (!this.held.has(room))
        return ['join', room];
    for (const room of [...this.held, ...this.doubtful])
      if (!this.wanted.has(room))
        return ['leave', room];
    return null;
  }

  // One step after the other; what fails is tried again while the connection stands.
  async move() {
    if (this.is_moving)
      return;
    this.is_moving = true;
    for (let step; !this.is_closed && this.is_connected() && (step = this.next_step());)
      if (!await this.go(...step))
        await sleep(retry_ms);
    this.is_moving = false;
  }

  async go(op, room) {
    const connection = this.connection();
    this.doubtful.add(room);
    this.held.delete(room);
    this.add(op, { phase: 'invoke', room });
    const ok = await this.ask(op, room).catch(() => null);
    if (connection !== this.connection() || !this.is_connected())
      return false; // no outcome: what follows the return tells
    this.add(op, { phase: ok === null ? 'unknown' : ok ? 'ok' : 'fail', room });
    if (ok) {
      this.doubtful.delete(room);
      if (op === 'join')
        this.held.add(room);
    }
    return ok;
  }
}

// transport: websocket or polling.
class OfficialMember extends Member {
  constructor(house, history, who, claims, transport, options) {
    super(house, history, who, claims);
    this.connections = 0;
    this.socket = io(house.gateway, {
      transports: [transport], upgrade: false, forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 600, timeout: 4000,
      auth: { token: this.token }, ...options,
    });
    this.socket.on('e', (data, position) => this.take(data, position));
    this.socket.on('connect', () => {
      this.connections++;
      this.connected(this.socket.recovered);
    });
    this.socket.on('disconnect', (reason) => {
      this.add('disconnect', { reason });
      this.come_back();
    });
    this.socket.on('connect_error', () => this.come_back());
  }

  // A client that was sent away, or refused, does not return by itself.
  async come_back() {
    if (this.socket.active || this.is_closed)
      return;
    await sleep(retry_ms);
    if (!this.socket.active && !this.is_closed)
      this.socket.connect();
  }

  is_connected() {
    return this.socket.connected;
  }

  connection() {
    return this.connections;
  }

  // Its connection is lost, and it stays away for so long.
  vanish(ms) {
    this.socket.io.reconnectionDelay(ms);
    this.socket.io.reconnectionDelayMax(ms);
    this.socket.io.randomizationFactor(0);
    this.socket.io.engine.close();
  }

  async ask(op, room) {
    const answer = await this.socket.timeout(ack_ms).emitWithAck(op === 'join' ? 'subscribe' : 'unsubscribe', { room });
    return answer.ok;
  }

  close() {
    this.is_closed = true;
    this.socket.close();
  }
}

class NativeMember extends Member {
  n = 0;
  place = null; // {session, position} of the last connection

  constructor(house, history, who, claims) {
    super(house, history, who, claims);
    this.run();
  }

  async run() {
    while (!this.is_closed) {
      await this.visit().catch(() => {});
      const [least, chance] = native_back_ms;
      await sleep(this.away_ms ?? least + this.house.random(chance));
      this.away_ms = null;
    }
  }

  async visit() {
    const back = this.place ? `&session=${this.place.session}&position=${this.place.position}` : '';
    const client = native_raw(this.house, { query: `?token=${this.token}${back}` });
    const handlers = { event: (m) => this.on_event(m), resync: (m) => this.on_resync(m) };
    client.acks = new Map();
    client.take = (data) => {
      const message = JSON.parse(data);
      if (message.t === 'connected')
        this.on_connected(client, message);
      else if (message.t === 'ack')
        client.acks.set(message.n, message);
      else
        handlers[message.t]?.(message);
    };
    let heard = performance.now();
    for (const sign of ['ping', 'message'])
      client.socket.on(sign, () => { heard = performance.now(); });
    const is_silent = () => performance.now() - heard > silence_ms; // nobody else would notice
    await until(() => client.closed || client.refused || this.is_closed || is_silent(), Infinity);
    client.close();
    if (this.client === client) {
      this.client = null;
      this.add('disconnect', { code: client.closed?.code });
    }
  }

  on_connected(client, { session, position, recovered, reason }) {
    this.client = client;
    this.place = { session, position: recovered ? this.place.position : position };
    this.connected(recovered, reason && { reason });
  }

  on_event({ data, position }) {
    this.place.position = position ?? this.place.position;
    this.take(data, position);
  }

  on_resync({ rooms, reason, position }) {
    this.place.position = position ?? this.place.position;
    for (const room of rooms.includes('*') ? [undefined] : rooms)
      this.add('resync', { reason, ...(room && { room }) });
  }

  is_connected() {
    return Boolean(this.client);
  }

  connection() {
    return this.client;
  }

  vanish(ms) {
    this.away_ms = ms;
    this.client?.close();
  }

  async ask(op, room) {
    const { client } = this, n = this.n++;
    client.send(JSON.stringify({ t: op === 'join' ? 'subscribe' : 'unsubscribe', room, n }));
    await until(() => client.acks.has(n) || client.closed, ack_ms);
    return client.acks.get(n).data.ok;
  }

  close() {
    this.is_closed = true;
    this.client?.close();
  }
}

// Of four in a row two poll, and one of the others speaks the native dialect.
const kinds = [
  (...all) => new OfficialMember(...all, 'polling'), (...all) => new OfficialMember(...all, 'websocket'),
  (...all) => new OfficialMember(...all, 'polling'), (...all) => new NativeMember(...all),
];

export const native_every = kinds.length;

export async function gather_members(house, history, { count, rooms, per_member = 3, only = kinds }) {
  const members = Array.from({ length: count }, (_, i) =>
    only[i % only.length](house, history, `c${i}`, { sub: `user-${i}`, rooms: ['**'] }));
  members.forEach((member, i) =>
    member.want([...new Set(Array.from({ length: per_member }, (_, k) => `r:${(i + k * 5) % rooms}`))]));
  await settled(members, 30_000);
  return members;
}

export const official = (transport, options) => (...all) => new OfficialMember(...all, transport, options);

export async function settled(members, ms) {
  await until(() => members.every((member) => member.is_settled()), ms, () => {
    const late = members.filter((member) => !member.is_settled());
    return `${late.length} of ${members.length} are not back after ${ms} ms: ` +
      late.map(({ who, held, wanted, is_moving }) => `${who} (holds ${held.size} of ${wanted.size}${is_moving ? ', moving' : ''})`).join(', ');
  });
}

// Lets one member after the other change a room, until `is_over()`.
export async function churn(members, random, { rooms, every_ms, is_over }) {
  while (!is_over()) {
    await sleep(every_ms / 2 + random(every_ms));
    const member = members[random(members.length)];
    const room = `r:${random(rooms)}`;
    const wanted = new Set(member.wanted);
    if (!wanted.delete(room) || wanted.size === 0)
      wanted.add(room);
    member.want(wanted);
  }
}
