// Clients that write down what they get: half of them the official one, half native.
import { connect, join, native } from '../../flow/lib/clients.mjs';
import { until } from '../../flow/lib/wait.mjs';

export const now_ns = () => Number(process.hrtime.bigint());

// What happened, in the order in which this process saw it.
export class History {
  records = [];

  add(who, op, more) {
    this.records.push({ at: now_ns(), who, op, ...more });
  }

  lines() {
    return `${this.records.map((record) => JSON.stringify(record)).join('\n')}\n`;
  }
}

// Client i is on gateway i mod n, in room r(i mod rooms) and in `all`.
export async function crowd(fleet, history, { clients, rooms }) {
  const members = [];
  for (let i = 0; i < clients; i++) {
    const who = `c${i}`;
    const at = i % fleet.gateways.length;
    const names = [`r:${Math.floor(i / fleet.gateways.length) % rooms}`, 'all'];
    const is_native = i % 4 >= 2;
    const member = is_native
      ? await native_member(fleet.gateways[at], history, who)
      : await official_member(fleet.gateways[at], history, who);
    const join_all = async () => {
      for (const room of names) {
        await member.join(room);
        history.add(who, 'join', { phase: 'ok', room });
      }
    };
    await join_all();
    member.on_return(join_all);
    members.push({ who, gateway: at, rooms: names, is_native, ...member });
  }
  return members;
}

async function official_member(gateway, history, who) {
  const socket = await connect(gateway, { reconnection: true, reconnectionDelay: 100 });
  socket.offAny();
  socket.on('e', (data) => history.add(who, 'recv', { id: data.id }));
  socket.on('disconnect', (reason) => history.add(who, 'disconnect', { reason }));
  const on_return = (join_all) => socket.on('connect', () => {
    history.add(who, 'connect', { recovered: socket.recovered });
    join_all().catch(() => {}); // gone again: the next return joins
  });
  return { socket, on_return, join: (room) => join(socket, room), close: () => socket.close() };
}

async function native_member(gateway, history, who) {
  const client = await native(gateway);
  const take_whole = client.take.bind(client);
  let n = 0;
  client.take = (data) => {
    const text = String(data);
    const id = text.startsWith('{"t":"event"') && /"data":\{"id":"([^"]*)"/.exec(text);
    if (id)
      history.add(who, 'recv', { id: id[1] });
    else
      take_whole(data);
    if (text.startsWith('{"t":"resync"'))
      history.add(who, 'resync', { reason: JSON.parse(text).reason });
  };
  client.socket.on('close', (code) => history.add(who, 'disconnect', { code }));
  return {
    socket: client, on_return: () => {}, join: (room) => client.subscribe(room, n++),
    close: () => client.close(),
  };
}

// Publishes `rate` events a second for `ms`, in time whatever the answers do; most go to one
// room, every twentieth to all. Gives the number that was begun.
export async function publish_paced(fleet, history, { rate, ms, rooms, prefix }) {
  const began = performance.now();
  const open = [];
  let n = 0;
  while (performance.now() - began < ms) {
    for (const due = ((performance.now() - began) * rate) / 1000; n < due; n++)
      open.push(publish_one(fleet, history, n % 20 ? `r:${n % rooms}` : 'all', `${prefix}${n}`));
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await Promise.all(open);
  return n;
}

// An event that is named by its id. What got no answer stays without an outcome.
export async function publish_one(fleet, history, room, id) {
  history.add('publisher', 'publish', { phase: 'invoke', room, id });
  try {
    const answer = await fleet.publish(`{"event":"e","room":"${room}","id":"${id}","data":{"id":"${id}"}}`);
    const phase = answer.status === 202 ? 'ok' : answer.status >= 500 ? 'unknown' : 'fail';
    history.add('publisher', 'publish', { phase, room, id, position: answer.json?.position, status: answer.status });
    return answer;
  } catch (error) {
    history.add('publisher', 'publish', { phase: 'unknown', room, id, error: error.message });
    return null;
  }
}

// The same, by a caller that repeats what it knows no outcome of, under the same id.
export async function publish_retried(fleet, history, room, id) {
  const body = `{"event":"e","room":"${room}","id":"${id}","data":{"id":"${id}"}}`;
  history.add('publisher', 'publish', { phase: 'invoke', room, id });
  const outcome = async () => {
    const answer = await fleet.publish(body).catch(() => null);
    return answer && answer.status < 500 && answer.status !== 409 ? answer : null;
  };
  const answer = await until(outcome, 20_000, () => `no outcome of ${id}`);
  const phase = answer.status === 202 ? 'ok' : 'fail';
  history.add('publisher', 'publish', { phase, room, id, position: answer.json?.position, status: answer.status });
  return answer;
}
