// Bytes on a TCP connection, and whether a process is alive and calm after them.
import assert from 'node:assert/strict';
import net from 'node:net';
import { cpu_ms } from './sidecast.mjs';
import { bound, sleep, until } from './wait.mjs';

export class Wire {
  constructor(url) {
    const { hostname, port } = new URL(url);
    this.text = '';
    this.ended = false;
    this.socket = net.connect({ host: hostname, port, allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => { this.text += data.toString('latin1'); });
    this.socket.on('end', () => { this.ended = true; });
    this.socket.on('close', () => { this.ended = true; });
    this.socket.on('error', () => { this.ended = true; });
  }

  async send(...parts) {
    for (const [n, part] of parts.entries()) {
      if (n)
        await sleep(5);
      if (this.socket.writable)
        this.socket.write(Buffer.from(part, 'latin1'));
    }
    return this;
  }

  // The status codes of the answers so far.
  statuses() {
    return [...this.text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
  }

  answers(count, ms = bound(1000)) {
    return until(() => this.statuses().length >= count, ms, () =>
      `${this.statuses().length} of ${count} answers; ended: ${this.ended}\n${this.text}`);
  }

  answered_or_closed(count, ms = bound(1000)) {
    return until(() => this.statuses().length >= count || this.ended, ms, () =>
      `neither ${count} answers nor closed:\n${this.text}`);
  }

  close() {
    this.socket.destroy();
  }

  reset() {
    this.socket.resetAndDestroy?.() ?? this.socket.destroy();
  }
}

export async function exchange(url, parts, count, ms) {
  const wire = new Wire(url);
  await wire.send(...[parts].flat());
  await wire.answered_or_closed(count, ms);
  wire.close();
  return wire;
}

// The process answers a health request within 1 s, and uses little CPU when left alone.
export async function assert_calm(url, pid) {
  const wire = new Wire(url);
  await wire.send('GET /livez HTTP/1.1\r\nHost: h\r\n\r\n');
  await wire.answers(1);
  wire.close();
  assert.equal(wire.statuses()[0], 200, wire.text);

  await sleep(200);
  const before = cpu_ms(pid);
  await sleep(1000);
  const used = cpu_ms(pid) - before;
  assert.ok(used <= 250, `process ${pid} used ${used} ms of CPU in a second of rest`);
}
