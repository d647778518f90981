// Histories that never happened: of a server that does all it promises, and of one that breaks
// one rule.
import { random_from } from '../../flow/lib/wait.mjs';

const epoch = 'epochAAA';
const print = (seq) => `${epoch}-${seq.toString(36)}`;

// A world with one log. A client stands at a place of it, and is given what its rooms got.
class World {
  records = [];
  log = [];
  open = []; // publishes that are not in the log yet
  unanswered = [];
  ids = 0;

  constructor(random, clients, rooms) {
    Object.assign(this, { random, rooms });
    this.clients = Array.from({ length: clients }, (_, i) => ({ who: `c${i}`, at: 0, is_here: true, rooms: new Set() }));
  }

  add(who, op, more = {}) {
    this.records.push({ at: 1000 * (this.records.length + 1), who, op, ...more });
  }

  room() {
    return `r${this.random(this.rooms)}`;
  }

  publish() {
    const event = { id: `e${this.ids++}`, room: this.room(), fate: this.random(10) };
    this.add('p', 'publish', { phase: 'invoke', id: event.id, room: event.room });
    this.open.push(event);
  }

  // Fate 0: refused; 1: lost on the way; 2: kept, its answer lost; others are answered.
  commit() {
    const [event] = this.open.splice(this.random(this.open.length), 1);
    if (!event)
      return;
    if (event.fate > 1)
      event.seq = this.log.push(event);
    this.unanswered.push(event);
  }

  answer() {
    const [{ id, room, fate, seq } = {}] = this.unanswered.splice(this.random(this.unanswered.length), 1);
    if (id !== undefined)
      this.add('p', 'publish', {
        phase: fate > 2 ? 'ok' : fate === 0 ? 'fail' : 'unknown', id, room, ...(fate > 2 && { position: print(seq) }),
      });
  }

  deliver(client, most = this.random(6)) {
    for (const end = Math.min(this.log.length, client.at + most); client.is_here && client.at < end; client.at++) {
      const { id, room, seq } = this.log[client.at];
      if (client.rooms.has(room))
        this.add(client.who, 'recv', { id, position: print(seq) });
    }
  }

  move(client) {
    const room = this.room();
    const op = client.rooms.has(room) ? 'leave' : 'join';
    this.add(client.who, op, { phase: 'invoke', room });
    this.deliver(client);
    client.rooms[op === 'join' ? 'add' : 'delete'](room);
    this.deliver(client, op === 'join' ? 6 : 0);
    this.add(client.who, op, { phase: 'ok', room });
  }

  toggle(client) {
    if (client.is_here) {
      this.add(client.who, 'disconnect');
      client.is_here = false;
      return;
    }
    const recovered = this.random(3) > 0;
    this.add(client.who, 'connect', { recovered });
    client.is_here = true;
    if (recovered)
      return;
    client.at = this.log.length;
    client.rooms.clear();
  }

  step() {
    const client = this.clients[this.random(this.clients.length)];
    const what = this.random(20);
    if (what < 6)
      this.publish();
    else if (what < 10)
      this.commit();
    else if (what < 14)
      this.answer();
    else if (what < 18)
      this.deliver(client);
    else if (what === 18 && client.is_here)
      this.move(client);
    else if (what === 19 && this.random(3) === 0)
      this.toggle(client);
  }

  finish() {
    while (this.open.length)
      this.commit();
    while (this.unanswered.length)
      this.answer();
    for (const client of this.clients)
      this.deliver(client, Infinity);
  }
}

export function invent(seed, { clients = 5, rooms = 4, steps = 600 } = {}) {
  const world = new World(random_from(seed), clients, rooms);
  for (const client of world.clients) {
    world.move(client);
    world.move(client);
  }
  for (let i = 0; i < steps; i++)
    world.step();
  world.finish();
  return world.records;
}

// --- one rule broken -------------------------------------------------------------------

const events_of = (records) => {
  const events = new Map();
  for (const { op, phase, id, at } of records)
    if (op === 'publish')
      events.set(id, { ...events.get(id), [phase]: at });
  return events;
};

// Lines of receipts that could not be missing: of the room something came before to the same
// client, and something else comes later, the membership unbroken. `was_away`: between the two
// it was away, the event was begun by then, and the client was told that it recovered.
function needed(records, was_away) {
  const events = events_of(records), seats = new Map(), found = [];
  for (const [line, { op, phase, who, room, id, at, recovered }] of records.entries()) {
    const seat = seats.get(who) ?? seats.set(who, { anchors: new Map(), rooms: new Map(), candidates: [], back: 0 }).get(who);
    if (op === 'join' && phase === 'ok')
      seat.rooms.set(room, at);
    else if (op === 'leave' && phase === 'invoke') {
      seat.rooms.delete(room);
      seat.anchors.delete(room);
      seat.candidates = [];
    } else if (op === 'disconnect')
      seat.candidates = [];
    else if (op === 'connect') {
      seat.back = at;
      if (!recovered)
        seats.delete(who);
    } else if (op === 'recv') {
      const of_room = records.find((record) => record.op === 'publish' && record.id === id).room;
      found.push(...seat.candidates);
      seat.candidates = [];
      const anchor = seat.anchors.get(of_room);
      const is_after = anchor < seat.back && events.get(id).invoke < seat.back;
      const is_since = anchor > seat.back && events.get(id).invoke > seat.back;
      if (was_away ? is_after : is_since)
        seat.candidates.push(line);
      if (seat.rooms.has(of_room))
        seat.anchors.set(of_room, at);
    }
  }
  return found;
}

const without = (records, line) => records.filter((_, i) => i !== line);
const pick = (random, items) => items[random(items.length)];
const inserted = (records, line, record) => [...records.slice(0, line), { at: records[line - 1].at + 1, ...record }, ...records.slice(line)];
const lines_where = (records, holds) => [...records.keys()].filter((line) => holds(records[line], line));

// [what is done, the rule that it breaks, (random, records) → records, or null where it cannot be done].
export const mutations = [
  ['one is lost', 'a', (random, records) => {
    const events = events_of(records);
    const lines = needed(records, false).filter((line) => events.get(records[line].id).ok);
    return lines.length ? without(records, pick(random, lines)) : null;
  }],
  ['one comes twice', 'a', (random, records) => {
    const line = pick(random, lines_where(records, ({ op }) => op === 'recv'));
    return inserted(records, line + 1, { ...records[line] });
  }],
  ['two change places', 'b', (random, records) => {
    const next = (line) => records.findIndex(({ who }, i) => i > line && who === records[line].who);
    const lines = lines_where(records, ({ op }, line) => op === 'recv' && records[next(line)]?.op === 'recv');
    if (lines.length === 0)
      return null;
    const line = pick(random, lines), other = next(line), turned = [...records];
    [turned[line], turned[other]] = [{ ...records[other], at: records[line].at }, { ...records[line], at: records[other].at }];
    return turned;
  }],
  ['nobody published it', 'c', (random, records) => {
    const line = pick(random, lines_where(records, ({ op }) => op === 'recv'));
    return inserted(records, line + 1, { who: records[line].who, op: 'recv', id: 'ghost' });
  }],
  ['it was refused', 'c', (random, records) => {
    const refused = lines_where(records, ({ op, phase }) => op === 'publish' && phase === 'fail');
    if (refused.length === 0)
      return null;
    const line = pick(random, refused);
    return inserted(records, line + 1, { who: 'c0', op: 'recv', id: records[line].id });
  }],
  ['it is of another room', 'c', (random, records) => [...records,
    { at: 1e9, who: 'p', op: 'publish', phase: 'invoke', id: 'elsewhere', room: 'other' },
    { at: 1e9 + 1, who: 'p', op: 'publish', phase: 'ok', id: 'elsewhere', room: 'other', position: print(2 ** 30) },
    { at: 1e9 + 2, who: `c${random(5)}`, op: 'recv', id: 'elsewhere', position: print(2 ** 30) }]],
  ['it is older than the membership', 'c', (random, records) => {
    const { who, room } = records.find(({ op, phase }) => op === 'join' && phase === 'invoke');
    const old = (at, phase, more) => ({ at, who: 'p', op: 'publish', phase, id: 'old', room, ...more });
    return [old(-3e10, 'invoke'), old(-2e10, 'ok', { position: print(0) }), records[0],
      { at: records[0].at + 1, who, op: 'recv', id: 'old', position: print(0) }, ...records.slice(1)];
  }],
  ['without an answer it comes to some', 'd', (random, records) => {
    const events = events_of(records);
    const receipts = (id) => records.filter((record) => record.op === 'recv' && record.id === id).length;
    const lines = needed(records, false).filter((line) => events.get(records[line].id).unknown && receipts(records[line].id) > 1);
    return lines.length ? without(records, pick(random, lines)) : null;
  }],
  ['it stands in two places', 'd', (random, records) => {
    const line = pick(random, lines_where(records, ({ op, phase }) => op === 'publish' && phase === 'ok'));
    return inserted(records, line + 1, { ...records[line], position: print(2 ** 30) });
  }],
  ['the log turns the order', 'e', (random, records) => [...records, ...[1, 2].flatMap((n) => [
    { at: 1e9 + 2 * n, who: 'p', op: 'publish', phase: 'invoke', id: `late${n}`, room: 'nobody' },
    { at: 1e9 + 2 * n + 1, who: 'p', op: 'publish', phase: 'ok', id: `late${n}`, room: 'nobody', position: print(2 ** 30 - n) }])]],
  ['who recovered has missed one', 'f', (random, records) => {
    const events = events_of(records);
    const lines = needed(records, true).filter((line) => events.get(records[line].id).ok);
    return lines.length ? without(records, pick(random, lines)) : null;
  }],
  ['who has lost its seat is told that it recovered', 'f', (random, records) => {
    const line = pick(random, lines_where(records, ({ op, phase }) => op === 'join' && phase === 'ok'));
    return inserted(records, line + 1, { who: 'nobody', op: 'connect', recovered: true });
  }],
];
