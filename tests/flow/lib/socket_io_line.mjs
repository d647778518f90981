// Socket.IO packets by hand over either transport: what is sent, and all that came.
import assert from 'node:assert/strict';
import { Frames } from './clients.mjs';
import { Visit } from './engine_io.mjs';
import { bound, until } from './wait.mjs';

const answer_ms = bound(3000);
const query = 'EIO=4&transport=';

const hide = (item) => (typeof item === 'string' ? item.replace(/"sid":"[\w-]{20}"/, '"sid":"*"') : item);

// `came` holds text packets as they are and binary ones as arrays of bytes; neither pings
// (which are answered) nor noops are kept.
class Line {
  came = [];
  seen = 0;
  closed = null;
  shown = hide; // how a table has what came

  take(item) {
    if (item === '2')
      this.pong();
    else if (item === '1')
      this.closed ??= 'by packet';
    else if (item !== '6')
      this.came.push(item);
  }

  pong() {
    this.send('3');
  }

  // Exactly these packets came next.
  async hears(...wanted) {
    const until_there = () => this.came.length - this.seen >= wanted.length || this.closed;
    await until(until_there, answer_ms, () => `only ${JSON.stringify(this.came.slice(this.seen))} came`);
    const came = this.came.slice(this.seen, this.seen + wanted.length);
    this.seen += wanted.length;
    assert.deepEqual(came.map(this.shown), wanted);
  }

  async is_closed() {
    await until(() => this.closed, answer_ms, () => `still open; ${JSON.stringify(this.came.slice(this.seen))} came`);
    assert.deepEqual(this.came.slice(this.seen), []);
  }
}

export class WebSocketLine extends Line {
  static transport = 'websocket';

  async open(gateway, path = '/socket.io/') {
    this.socket = new Frames(`${gateway.replace(/^http/, 'ws')}${path}?${query}websocket`);
    this.socket.socket.on('message', (data, is_binary) => this.take(is_binary ? [...data] : String(data)));
    this.socket.socket.on('close', (code) => { this.closed ??= code; });
    await until(() => this.came.length || this.closed, answer_ms, () => 'no open packet came');
    this.engine_sid = JSON.parse(this.came.shift().slice(1)).sid;
    return this;
  }

  send(...items) {
    for (const item of items)
      this.socket.send(typeof item === 'string' ? item : Buffer.from(item));
  }

  close() {
    this.socket?.close();
  }
}

const encode = (item) => (typeof item === 'string' ? item : `b${Buffer.from(item).toString('base64')}`);
const decode = (text) => (text[0] === 'b' ? [...Buffer.from(text.slice(1), 'base64')] : text);

export class PollingLine extends Line {
  static transport = 'polling';

  async open(gateway, path = '/socket.io/') {
    this.visit = await new Visit(gateway, path).open();
    this.engine_sid = this.visit.sid;
    this.posts = Promise.resolve();
    this.polls = this.poll();
    return this;
  }

  async poll() {
    while (!this.closed) {
      const { status, text } = await this.visit.request('GET', this.visit.polling_query()).end().answer;
      if (status === 200)
        text.split('\x1e').map(decode).forEach((item) => this.take(item));
      else
        this.closed ??= `${status} ${text}`;
    }
  }

  // One POST after the other; those of a session that has ended are refused.
  send(...items) {
    if (items.length === 0)
      return;
    for (const body of this.bodies(items.map(encode)))
      this.posts = this.posts.then(() => this.visit.request('POST', this.visit.polling_query()).end(body).whole());
  }

  bodies(items) {
    return items;
  }

  close() {
    this.closed ??= 'by us';
    this.visit?.close();
  }
}

export class OnePostLine extends PollingLine {
  static transport = 'polling, one body';

  bodies(items) {
    return [items.join('\x1e')];
  }
}

export const lines = [WebSocketLine, PollingLine, OnePostLine];
