// Scenario "drain": a gateway with thousands of clients is stopped, and they come back to the one
// that takes its place, evenly, and miss nothing. Most are plain sockets of the native dialect;
// beside them members of all kinds.
import WebSocket from 'ws';
import { is_alive } from '../../flow/lib/sidecast.mjs';
import { sleep, until } from '../../flow/lib/wait.mjs';
import { now_ns } from './crowd.mjs';
import { gather_members, mark, settled } from './members.mjs';
import { publish_lanes, sum_of } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, clients: 5000, window_s: 20, rooms: 100, lanes: 4, pause_ms: 100, sabotage: [] };
const members_of = (clients) => Math.min(200, Math.floor(clients / 5));
const at_once = 50; // that connect for the first time
const crowd_percent = 70; // that may come back within one second, of a window of three or more
const back_ms = 60_000;
const set = (window_s) => [
  `drain.window=${window_s}s`, 'limits.connections=20000', 'limits.handshakes=off', 'gateway.ping_interval=25s',
];

// As a member, without a look at anything that others need: there are thousands.
class Plain {
  wanted = new Set();
  held = new Set();
  marks = new Set();
  is_closed = false;

  constructor(house, history, who, room) {
    Object.assign(this, { house, history, who, room, token: house.token({ sub: who, rooms: ['**'] }) });
    this.wanted.add(room);
    this.open();
  }

  add(op, more) {
    this.history.add(this.who, op, more);
  }

  open() {
    const back = this.session ? `&session=${this.session}&position=${this.position}` : '';
    const url = `${this.house.gateway.replace('http', 'ws')}/ws?token=${this.token}${back}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('message', (text) => this.take(socket, JSON.parse(text)));
    socket.on('error', () => {}); // told by close
    socket.on('close', (code) => this.on_close(code));
  }

  take(socket, message) {
    if (message.t === 'connected')
      this.on_connected(socket, message);
    else if (message.t === 'event')
      this.on_event(message);
    else if (message.t === 'ack')
      this.on_joined(message.data.ok);
    else if (message.t === 'resync')
      this.add('resync', { reason: message.reason });
  }

  on_connected(socket, { session, position, recovered, reason }) {
    this.is_open = true;
    this.session = session;
    this.position = recovered ? this.position : position;
    this.add('connect', { recovered, ...(reason && { reason }) });
    if (recovered)
      return;
    this.held.clear();
    this.add('join', { phase: 'invoke', room: this.room });
    socket.send(JSON.stringify({ t: 'subscribe', room: this.room, n: 1 }));
  }

  on_joined(ok) {
    this.add('join', { phase: ok ? 'ok' : 'fail', room: this.room });
    if (ok)
      this.held.add(this.room);
  }

  on_event({ data, position }) {
    this.position = position ?? this.position;
    if (data.id.startsWith(mark))
      this.marks.add(data.id);
    const is_whole = sum_of(data.id, data.text) === data.sum;
    this.add('recv', { id: is_whole ? data.id : `${data.id} spoiled`, position });
  }

  on_close(code) {
    if (this.is_open)
      this.add('disconnect', { code });
    this.is_open = false;
    if (!this.is_closed)
      setTimeout(() => this.is_closed || this.open(), 50 + this.house.random(400));
  }

  is_settled() {
    return this.is_open && this.held.has(this.room);
  }

  close() {
    this.is_closed = true;
  }
}

async function gather_plain(house, history, count, rooms) {
  const all = [];
  while (all.length < count) {
    const some = Array.from({ length: Math.min(at_once, count - all.length) }, (_, i) =>
      new Plain(house, history, `p${all.length + i}`, `r:${(all.length + i) % rooms}`));
    await settled(some, back_ms);
    all.push(...some);
  }
  return all;
}

// Those who came back within the second that saw most of them, of all.
function densest(records, from) {
  const times = records.filter(({ op, at }) => op === 'connect' && at >= from).map(({ at }) => at);
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last] - times[first] >= 1e9)
      first++;
    most = Math.max(most, last - first + 1);
  }
  return most / times.length;
}

export function drain(wanted, world, say) {
  const plan = { ...full, ...wanted };
  const { clients, rooms, window_s } = plan;
  return on_stage({ plan, world, say, house: { gateways: 1, set: set(window_s) } }, async (stage) => {
    const { house, history, figures } = stage;
    house.gateway = house.api.gateway; // no proxy in between
    const count = plan.members ?? members_of(clients);
    stage.members = await gather_members(house, history, { count, rooms });
    stage.members.push(...await gather_plain(house, history, clients - count, rooms));
    stage.tell(`${stage.members.length} clients are there`);
    const publishing = publish_lanes(house, history, stage.chance(2), { ...plan, is_over: () => stage.is_over });
    publishing.catch(() => {}); // told below
    await sleep(500);

    const from = now_ns(), began = performance.now();
    const pid = house.signal('g1', 'SIGTERM');
    await until(() => !is_alive(pid), (window_s + 30) * 1000);
    figures.exit_beyond_window = performance.now() - began - window_s * 1000;
    stage.tell(`it ended ${Math.round(figures.exit_beyond_window)} ms after its window`);
    await settled(stage.members, back_ms);
    stage.is_over = true;
    await publishing;
    await stage.settle(Array.from({ length: rooms }, (_, i) => `r:${i}`));
    const { connects, recovered } = stage.returns();
    const share = densest(history.records, from);
    figures.most_of_mean = share * window_s;
    figures.crowded_percent = Math.max(0, share * 100 - crowd_percent);
    figures.untold_percent = stage.untold_percent();
    figures.not_recovered = connects - clients - recovered;
  });
}
