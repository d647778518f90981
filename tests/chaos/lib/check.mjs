// Judges a history (one record per line of a .jsonl file, or an array of the same objects):
//
//   {"at":ns,"who":"c12","op":"publish|recv|join|leave|connect|disconnect|resync",
//    "phase"?:"invoke|ok|fail|unknown","room"?,"id"?,"position"?}
//
// For each client, while it is in a room and continuity was claimed:
//   (a) every acknowledged publish to the room is received exactly once,
//   (b) what is received strictly rises in the order of the log,
//   (c) nothing comes that nobody published there,
//   (d) a publish without an answer comes to all of the room or to nobody,
//   (e) what was acknowledged before another was begun stands before it.
// The work is linear in the number of records.

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

function gather(records) {
  const published = new Map();
  const clients = new Map();
  const rank_of = ranks();

  for (const record of records) {
    if (record.op !== 'publish') {
      if (!clients.has(record.who))
        clients.set(record.who, []);
      clients.get(record.who).push(record);
      continue;
    }
    if (record.phase === 'invoke') {
      published.set(record.id, {
        id: record.id, room: record.room, invoked: record.at, answered: Infinity,
        outcome: 'unknown', rank: NaN, appeared: false,
      });
      continue;
    }
    const event = published.get(record.id);
    event.answered = record.phase === 'ok' ? record.at : Infinity;
    event.outcome = record.phase;
    if (record.phase === 'ok')
      event.rank = rank_of(record.position);
  }
  return { published, clients };
}

// (e): along the log, nothing was answered before something of a lower rank was begun.
function check_program_order(acknowledged, faults) {
  let begun_last = { invoked: -Infinity };
  for (const event of acknowledged) {
    if (event.answered < begun_last.invoked)
      faults.push({ rule: 'e', text: `${event.id} was answered before ${begun_last.id} was begun, and stands behind it` });
    if (event.invoked > begun_last.invoked)
      begun_last = event;
  }
}

class Member {
  constructor(who, published, faults) {
    Object.assign(this, { who, published, faults });
    this.rooms = new Map(); // room → since when
    this.spans = []; // {room, from, through}: what must have come
    this.seen = new Set();
    this.last = -Infinity;
  }

  fault(rule, text) {
    this.faults.push({ rule, text: `${this.who}: ${text}`, who: this.who });
  }

  take({ at, op, phase, room, id }) {
    switch (op) {
      case 'join':
        if (phase !== 'invoke')
          this.rooms.set(room, at);
        break;
      case 'leave': this.end(room, this.last); break;
      case 'connect': break;
      case 'disconnect':
        for (const name of [...this.rooms.keys()])
          this.end(name, this.last);
        break;
      case 'resync': // what came before is complete up to the last one; a new claim begins
        for (const name of [...this.rooms.keys()]) {
          this.end(name, this.last);
          this.rooms.set(name, at);
        }
        break;
      case 'recv': this.receive(id, room); break;
      default: throw new Error(`no such op: ${op}`);
    }
  }

  receive(id) {
    const event = this.published.get(id);
    if (!event || !this.rooms.has(event.room) || event.outcome === 'fail') {
      this.fault('c', `${id} was not published there`);
      return;
    }
    event.appeared = true;
    if (this.seen.has(id))
      this.fault('a', `${id} came twice`);
    else if (!(event.rank > this.last || Number.isNaN(event.rank)))
      this.fault('b', `${id} came late`);
    this.seen.add(id);
    if (event.rank > this.last)
      this.last = event.rank;
  }

  end(room, through) {
    if (this.rooms.has(room))
      this.spans.push({ room, from: this.rooms.get(room), through });
    this.rooms.delete(room);
  }

  check_complete(by_room) {
    for (const name of [...this.rooms.keys()])
      this.end(name, Infinity);
    for (const { room, from, through } of this.spans)
      for (const event of by_room.get(room) ?? [])
        // The place of an event without an answer is not known: only who stayed must have it.
        if (event.invoked >= from && (event.rank <= through || through === Infinity) &&
            !this.seen.has(event.id))
          this.fault(event.outcome === 'ok' ? 'a' : 'd', `${event.id} did not come`);
  }
}

// Gives {lost, doubled, disordered, faults: [{rule, text}], events, deliveries}.
export function check(records) {
  const { published, clients } = gather(records);
  const faults = [];
  const members = [...clients].map(([who, ops]) => {
    const member = new Member(who, published, faults);
    ops.forEach((record) => member.take(record));
    return member;
  });
  const kept = [...published.values()].filter(({ outcome, appeared }) =>
    outcome === 'ok' || (outcome === 'unknown' && appeared));
  const acknowledged = kept.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.rank - b.rank);
  const by_room = new Map();
  for (const event of kept) {
    if (!by_room.has(event.room))
      by_room.set(event.room, []);
    by_room.get(event.room).push(event);
  }
  members.forEach((member) => member.check_complete(by_room));
  check_program_order(acknowledged, faults);

  const count = (pattern) => faults.filter(({ text }) => pattern.test(text)).length;
  return {
    lost: count(/did not come$/), doubled: count(/came twice$/), disordered: count(/came late$|stands behind/),
    faults, events: acknowledged.length,
    deliveries: members.reduce((sum, { seen }) => sum + seen.size, 0),
  };
}

export function describe({ lost, doubled, disordered, faults, events, deliveries }) {
  return `${events} events, ${deliveries} deliveries: lost ${lost}, doubled ${doubled}, disordered ${disordered}` +
    (faults.length ? `; first: rule (${faults[0].rule}) ${faults[0].text}` : '');
}
