// Judges a history: records as lines of a .jsonl file, or an array of the same objects.
//
//   {"at":ns,"who":"c12","op":"publish|recv|join|leave|connect|disconnect|resync|fault",
//    "phase"?:"invoke|ok|fail|unknown","room"?,"id"?,"position"?,"recovered"?}
//
// For each client, while it is in a room and continuity is claimed:
//   (a) every acknowledged publish to the room is received exactly once,
//   (b) what is received strictly rises in the order of the log,
//   (c) nothing comes that nobody published there, or that is older than the membership (and
//       what its gateway, which may have stood still, was behind),
//   (d) a publish without an answer comes to all of the room or to nobody, and what was
//       published once stands in one place,
//   (e) what was acknowledged before another was begun stands before it,
//   (f) who was told "recovered" has missed nothing while it was away.
// A membership begins with the ack of a join and ends with the leave; between the request and
// its ack anything may come. A disconnect interrupts it: with recovered: true it goes on, without
// it ended with the last that came. The work is linear in the number of records, but for sorting.

// A gateway that is behind for longer has lost its lease.
const lag_ns = 10e9;

// Seqs of different logs (epochs) do not compare: epochs count in the order of their appearance.
function ranks() {
  const epochs = new Map();
  return (position) => {
    const epoch = position.slice(0, 8);
    if (!epochs.has(epoch))
      epochs.set(epoch, epochs.size);
    return epochs.get(epoch) * 2 ** 40 + parseInt(position.slice(9), 36);
  };
}

// The faults that were found, each with the line of the record that shows it.
class Faults {
  list = [];

  add(rule, kind, line, { who, id, room }, text) {
    this.list.push({ rule, kind, line, who, id, room, text: who ? `${who}: ${text}` : text });
  }

  count(...kinds) {
    return this.list.filter(({ kind }) => kinds.includes(kind)).length;
  }
}

function place(event, position, line, record, faults) {
  if (!position)
    return;
  if (event.position && event.position !== position)
    faults.add('d', 'doubled', line, record, `${event.id} stands at ${event.position} and at ${position}`);
  event.position ??= position;
}

function gather(records, faults) {
  const published = new Map();
  const clients = new Map();

  for (const [line, record] of records.entries()) {
    const { op, phase, id, room, at, who, position } = record;
    if (op === 'fault')
      continue;
    if (op !== 'publish') {
      if (!clients.has(who))
        clients.set(who, []);
      clients.get(who).push([line, record]);
      continue;
    }
    if (phase === 'invoke' && !published.has(id))
      published.set(id, {
        id, room, line, invoked: at, answered: Infinity, outcome: 'unknown', position: null, rank: NaN, appeared: false,
      });
    if (phase === 'invoke')
      continue;
    const event = published.get(id);
    if (phase === 'ok')
      event.answered = Math.min(event.answered, at);
    if (event.outcome !== 'ok')
      event.outcome = phase;
    place(event, position, line, { id, room }, faults);
  }
  return { published, clients };
}

// Where each event stands: its answer says it, else those who received it do.
function rank_all(records, published, faults) {
  for (const [line, { op, id, who, position }] of records.entries())
    if (op === 'recv' && published.has(id))
      place(published.get(id), position, line, { who, id }, faults);
  const rank_of = ranks();
  for (const event of published.values())
    if (event.position)
      event.rank = rank_of(event.position);
}

// (e): along the log, nothing was answered before something of a lower rank was begun.
function check_program_order(ranked, faults) {
  let begun_last = { invoked: -Infinity };
  for (const event of ranked) {
    if (event.answered < begun_last.invoked)
      faults.add('e', 'disordered', event.line, { id: event.id, room: event.room },
        `${event.id} was answered before ${begun_last.id} was begun, and stands behind it`);
    if (event.invoked > begun_last.invoked)
      begun_last = event;
  }
}

class Member {
  constructor(who, published, faults) {
    Object.assign(this, { who, published, faults });
    this.rooms = new Map(); // room → {is_sure, asked, span}: what may come, since when, what must
    this.spans = []; // {room, from, from_rank, through, absences}
    this.seen = new Set();
    this.last = -Infinity;
    this.is_away = false;
  }

  fault(rule, kind, line, id, text, room) {
    this.faults.add(rule, kind, line, { who: this.who, id, room }, text);
  }

  take(line, record) {
    const { at, op, room } = record;
    switch (op) {
      case 'join': this.join(record); break;
      case 'leave': this.leave(record); break;
      case 'connect': this.connect(line, record); break;
      case 'disconnect': this.is_away = true; break;
      case 'resync': // what came before is complete up to the last one; a new claim begins
        for (const [name, membership] of this.rooms)
          if (membership.span && (room === undefined || room === name)) {
            this.end(membership);
            this.begin(name, membership, at);
          }
        break;
      case 'recv': this.receive(line, record); break;
      default: throw new Error(`no such op: ${op}`);
    }
  }

  join({ at, phase, room }) {
    const membership = this.rooms.get(room) ?? { asked: phase === 'invoke' ? at : -Infinity, span: null };
    if (phase === 'fail') {
      if (!membership.span)
        this.rooms.delete(room);
      return;
    }
    this.rooms.set(room, membership);
    if (phase !== 'invoke' && phase !== 'unknown' && !membership.span)
      this.begin(room, membership, at);
  }

  leave({ phase, room }) {
    const membership = this.rooms.get(room);
    if (!membership)
      return;
    this.end(membership);
    if (phase === undefined || phase === 'ok')
      this.rooms.delete(room);
  }

  connect(line, { at, recovered }) {
    if (recovered && !this.is_away)
      this.fault('f', 'false_recovered', line, undefined, 'recovered what was never interrupted');
    for (const [name, membership] of this.rooms) {
      if (!recovered) {
        this.end(membership);
        this.rooms.delete(name);
      } else if (membership.span) {
        membership.span.absences.push({ after: this.last, at });
      }
    }
    this.is_away = false;
  }

  receive(line, { id }) {
    const event = this.published.get(id);
    const membership = event && this.rooms.get(event.room);
    if (!membership || event.outcome === 'fail') {
      this.fault('c', 'strange', line, id, `${id} was not published there`, event?.room);
      return;
    }
    event.appeared = true;
    if (this.seen.has(id))
      this.fault('a', 'doubled', line, id, `${id} came twice`, event.room);
    else if (event.rank < this.last)
      this.fault('b', 'disordered', line, id, `${id} came late`, event.room);
    if (event.answered + lag_ns < membership.asked)
      this.fault('c', 'strange', line, id, `${id} is older than the membership`, event.room);
    this.seen.add(id);
    if (membership.span && !(membership.span.from_rank <= event.rank))
      membership.span.from_rank = event.rank;
    if (event.rank > this.last)
      this.last = event.rank;
  }

  begin(room, membership, at) {
    membership.span = { room, from: at, from_rank: Infinity, through: Infinity, absences: [] };
    this.spans.push(membership.span);
  }

  // With what came last: it is not known what was sent after it.
  end(membership) {
    if (membership.span)
      membership.span.through = this.last;
    membership.span = null;
  }

  // `line` is the end of the history.
  check_complete(logs, line) {
    if (this.is_away)
      this.rooms.forEach((membership) => this.end(membership));
    for (const span of this.spans)
      for (const event of logs.get(span.room)?.due(span) ?? [])
        if (!this.seen.has(event.id))
          this.miss(span, event, line);
  }

  miss(span, event, line) {
    const is_false = span.absences.some(({ after, at }) => event.rank > after && event.invoked < at);
    const rule = is_false ? 'f' : event.outcome === 'ok' ? 'a' : 'd';
    this.fault(rule, is_false ? 'false_recovered' : 'lost', line, event.id, `${event.id} did not come`, span.room);
  }
}

// The events of one room, in the order of the log; those whose place nobody knows, apart.
class RoomLog {
  constructor(events) {
    this.ranked = events.filter(({ rank }) => !Number.isNaN(rank));
    this.unplaced = events.filter(({ rank }) => Number.isNaN(rank));
    let begun = -Infinity;
    this.begun = this.ranked.map(({ invoked }) => (begun = Math.max(begun, invoked)));
  }

  // What must have come in a span: begun after it was, or behind something that came in it.
  *due({ from, from_rank, through }) {
    const first = Math.min(above(this.begun, (at) => at >= from), above(this.ranked, ({ rank }) => rank >= from_rank));
    for (let i = first; i < this.ranked.length && this.ranked[i].rank <= through; i++)
      if (this.ranked[i].invoked >= from || this.ranked[i].rank >= from_rank)
        yield this.ranked[i];
    if (through === Infinity) // who left may have missed it
      yield* this.unplaced.filter(({ invoked }) => invoked >= from);
  }
}

// The first index of a sorted array for which `is_above` holds, or its length.
function above(items, is_above) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is_above(items[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

// Gives {lost, doubled, disordered, strange, false_recovered, faults: [{rule, line, who, id,
// room, text}], events, deliveries}; the faults in the order of the history.
export function check(records) {
  const faults = new Faults();
  const { published, clients } = gather(records, faults);
  rank_all(records, published, faults);
  const members = [...clients].map(([who, ops]) => {
    const member = new Member(who, published, faults);
    ops.forEach(([line, record]) => member.take(line, record));
    return member;
  });
  const kept = [...published.values()].filter(({ outcome, appeared }) =>
    outcome === 'ok' || (outcome === 'unknown' && appeared));
  const ranked = kept.filter(({ rank }) => !Number.isNaN(rank)).sort((a, b) => a.rank - b.rank);
  const by_room = new Map();
  for (const event of [...ranked, ...kept.filter(({ rank }) => Number.isNaN(rank))]) {
    if (!by_room.has(event.room))
      by_room.set(event.room, []);
    by_room.get(event.room).push(event);
  }
  const logs = new Map([...by_room].map(([room, events]) => [room, new RoomLog(events)]));
  members.forEach((member) => member.check_complete(logs, records.length));
  check_program_order(ranked, faults);
  faults.list.sort((a, b) => a.line - b.line);

  return {
    lost: faults.count('lost'), doubled: faults.count('doubled'), disordered: faults.count('disordered'),
    strange: faults.count('strange'), false_recovered: faults.count('false_recovered'), faults: faults.list,
    events: kept.filter(({ outcome }) => outcome === 'ok').length,
    deliveries: members.reduce((sum, { seen }) => sum + seen.size, 0),
  };
}

export function describe({ faults, events, deliveries, ...counts }) {
  const found = Object.entries(counts).map(([name, count]) => `${name.replace('_', ' ')} ${count}`).join(', ');
  return `${events} events, ${deliveries} deliveries: ${found}` +
    (faults.length ? `; first: rule (${faults[0].rule}) ${faults[0].text}` : '');
}

// The records that a fault is about, as [line number from 1, record]: the event's publishes and
// receipts of that client, its memberships of the room, its connections.
export function lines_of(records, { who, id, room }) {
  const is_about = (record) => (record.id !== undefined && record.id === id && (record.op === 'publish' || record.who === who)) ||
    (record.who === who && who !== undefined && (['connect', 'disconnect', 'resync'].includes(record.op) ||
      (['join', 'leave'].includes(record.op) && record.room === room)));
  return [...records.entries()].filter(([, record]) => is_about(record)).map(([line, record]) => [line + 1, record]);
}
