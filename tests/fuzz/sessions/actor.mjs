// One stranger with a few sessions: it does whatever comes to its mind with them, in any order,
// over polling and WebSocket, and never waits for an answer. Others' session ids are fair game.
import http from 'node:http';
import net from 'node:net';
import WebSocket from 'ws';
import { body, method, packet, path, query } from './words.mjs';

const keep = 8; // of each kind, open at a time

export class Actor {
  // `shared` is {url, sids: [], live: [], tally: {}, failures: [], due_ms}: all actors' together.
  constructor(shared, random) {
    this.shared = shared;
    this.random = random;
    this.requests = new Set();
    this.sockets = new Set();
    this.agent = new http.Agent({ keepAlive: random(2) === 0, maxSockets: 100 });
  }

  count(what) {
    this.shared.tally[what] = (this.shared.tally[what] ?? 0) + 1;
  }

  sid() {
    const { sids, live } = this.shared;
    const list = this.random(10) ? live : sids;
    return list.length && this.random(30) ? list[list.length - 1 - this.random(Math.min(12, list.length))] : null;
  }

  target(sid, transport = 'polling') {
    const { mount, id } = sid ?? { mount: path(this.random), id: 'AAAAAAAAAAAAAAAAAAAAAAAA' };
    return `${mount}?EIO=4&transport=${transport}&sid=${id}`;
  }

  act() {
    const actions = [
      [3, () => this.shake_hands()],
      [6, () => this.poll()],
      [8, () => this.post()],
      [2, () => this.abort()],
      [1, () => this.post_in_part()],
      [1, () => this.post_otherwise()],
      [4, () => this.open_socket()],
      [8, () => this.speak()],
      [2, () => this.drop_socket()],
      [1, () => this.ask(this.target(this.sid()), { method: method(this.random) })],
    ];
    let n = this.random(actions.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, action] of actions) {
      n -= weight;
      if (n < 0)
        return action();
    }
    return undefined;
  }

  // A request that must end, one way or the other: an answer, or a connection that is cut.
  ask(target, { method = 'GET', headers = {}, body = null } = {}) {
    const { tally, due_ms, failures } = this.shared;
    const length = body === null ? {} : { 'content-length': body.length };
    const request = http.request(this.shared.url + target, {
      method, agent: this.agent, headers: { ...length, ...headers },
    });
    const late = setTimeout(() => {
      failures.push(`no answer to ${method} ${target} within ${due_ms} ms`);
      request.destroy();
    }, due_ms);
    const ended = () => {
      clearTimeout(late);
      this.requests.delete(request);
    };
    this.requests.add(request);
    request.on('close', ended);
    request.on('error', () => this.count('cut'));
    request.on('response', (answer) => {
      const chunks = [];
      this.count(answer.statusCode);
      if (answer.statusCode >= 500 && answer.statusCode !== 503 && ['GET', 'POST'].includes(method))
        failures.push(`${answer.statusCode} to ${method} ${target}`);
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', () => this.count('cut'));
      answer.on('end', () => this.learn(target, Buffer.concat(chunks).toString()));
    });
    this.count(method);
    request.end(body);
    return request;
  }

  // A new session for everybody, or that one is over.
  learn(target, text) {
    const dead = text.startsWith('{"code":1') ? /sid=([^&]+)/.exec(target)?.[1] : null;
    if (dead)
      this.shared.live = this.shared.live.filter(({ id }) => id !== dead);
    const id = /^0\{"sid":"([^"]+)"/.exec(text)?.[1];
    if (!id)
      return;
    this.count('sessions');
    const sid = { mount: target.slice(0, target.indexOf('?')), id };
    this.shared.sids.push(sid);
    this.shared.live.push(sid);
  }

  shake_hands() {
    this.ask(`${path(this.random)}?${query(this.random)}`);
  }

  poll() {
    if (this.requests.size < keep)
      this.ask(this.target(this.sid()), { headers: this.random(2) ? { 'accept-encoding': 'gzip' } : {} });
  }

  post() {
    this.ask(this.target(this.sid()), {
      method: 'POST', body: body(this.random), headers: { 'content-type': 'text/plain;charset=UTF-8' },
    });
  }

  post_otherwise() {
    const large = Buffer.alloc(1_000_001, 'a');
    const kinds = [
      () => ({ headers: { 'content-type': 'application/octet-stream' }, body: body(this.random) }),
      () => ({ headers: { 'transfer-encoding': 'chunked' }, body: null }),
      () => ({ headers: { expect: '100-continue' }, body: body(this.random) }),
      () => ({ body: this.random(5) ? Buffer.alloc(0) : large }),
      () => ({ body: Buffer.from(Array.from({ length: 3000 }, () => '6').join('\x1e')) }),
    ];
    this.ask(this.target(this.sid()), { method: 'POST', ...kinds[this.random(kinds.length)]() });
  }

  // Bytes that stop in the middle of a body, and then, sooner or later, the connection.
  post_in_part() {
    const { hostname, port } = new URL(this.shared.url);
    const socket = net.connect({ host: hostname, port });
    const head = `POST ${this.target(this.sid())} HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n`;
    this.count('partial posts');
    this.requests.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.requests.delete(socket));
    socket.write(head + '4'.repeat(this.random(50)));
    setTimeout(() => socket.destroy(), this.random(300));
  }

  // Any of those that wait: a held poll, for one.
  abort() {
    const waiting = [...this.requests];
    if (waiting.length > 0)
      waiting[this.random(waiting.length)].destroy();
  }

  open_socket() {
    if (this.sockets.size >= keep)
      return;
    const sid = this.random(4) ? this.sid() : null;
    const target = sid ? this.target(sid, 'websocket') : `${path(this.random)}?EIO=4&transport=websocket`;
    const socket = new WebSocket(this.shared.url.replace(/^http/, 'ws') + target, { perMessageDeflate: false });
    this.count('websockets');
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('unexpected-response', (request) => {
      this.count('websockets refused');
      request.destroy();
      this.sockets.delete(socket);
    });
    socket.on('message', (data) => {
      this.learn(target, data.toString());
      if (data.toString() === '2' && this.random(4))
        socket.send('3');
    });
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('open', () => {
      if (this.random(3))
        socket.send('2probe');
      if (sid && this.random(2))
        setTimeout(() => { if (socket.readyState === WebSocket.OPEN) socket.send('5'); }, this.random(150));
    });
  }

  open_sockets() {
    return [...this.sockets].filter((socket) => socket.readyState === WebSocket.OPEN);
  }

  speak() {
    const open = this.open_sockets();
    if (open.length === 0)
      return;
    const socket = open[this.random(open.length)];
    for (let n = 1 + this.random(4); n > 0; n--) {
      if (this.random(8))
        socket.send(String(packet(this.random)));
      else
        socket.send(Buffer.alloc(this.random(40), this.random(256)));
    }
    if (!this.random(10))
      socket.ping();
  }

  drop_socket() {
    const open = this.open_sockets();
    if (open.length === 0)
      return;
    const socket = open[this.random(open.length)];
    if (this.random(2))
      socket.terminate();
    else
      socket.close();
  }

  leave() {
    for (const request of this.requests)
      request.destroy();
    for (const socket of this.sockets)
      socket.terminate();
    this.agent.destroy();
  }
}
