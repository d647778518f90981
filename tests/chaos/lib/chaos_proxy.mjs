// A bad network between clients and a port: what passes can be delayed, held back, dribbled byte by
// byte and reset. An end is told in its turn: who is held back does not learn that the other is gone.
import net from 'node:net';

const most_bytes = 256 * 1024; // held here; the sender waits beyond that
const dribble_ms = 4;

// One direction of one connection.
class Pipe {
  queue = []; // {data, due} or {end: 'fin' | 'reset', due}
  bytes = 0;
  delay_ms = 0;
  held_until = 0;
  dribbled_until = 0;
  timer = null;

  constructor(from, to, random) {
    Object.assign(this, { from, to, random });
    from.on('data', (data) => this.put({ data }));
    from.on('end', () => this.put({ end: 'fin' }));
    from.on('error', () => this.put({ end: 'reset' }));
    from.on('close', () => this.put({ end: 'fin' }));
    to.on('drain', () => this.pump());
  }

  put(item) {
    if (this.is_over)
      return;
    this.is_over = Boolean(item.end);
    this.queue.push({ ...item, due: performance.now() + this.delay_ms });
    this.bytes += item.data?.length ?? 0;
    if (this.bytes > most_bytes)
      this.from.pause();
    this.pump();
  }

  pump() {
    clearTimeout(this.timer);
    while (this.queue.length && !this.to.destroyed && !this.to.writableNeedDrain) {
      const now = performance.now();
      const wait = Math.max(this.held_until, this.queue[0].due) - now;
      if (wait > 0)
        return this.later(wait);
      if (now < this.dribbled_until && this.queue[0].data) {
        this.write(1 + this.random(24));
        return this.later(dribble_ms);
      }
      this.write(Infinity);
    }
  }

  later(ms) {
    if (ms !== Infinity)
      this.timer = setTimeout(() => this.pump(), ms);
  }

  write(most) {
    const [first] = this.queue;
    if (first.end) {
      this.queue.shift();
      if (first.end === 'reset')
        this.to.resetAndDestroy();
      else if (this.from.destroyed)
        this.to.destroySoon(); // nobody is there for what it may still say
      else
        this.to.end();
      return;
    }
    const part = first.data.subarray(0, most);
    this.to.write(part);
    this.bytes -= part.length;
    if (part.length === first.data.length)
      this.queue.shift();
    else
      first.data = first.data.subarray(part.length);
    if (this.bytes <= most_bytes)
      this.from.resume();
  }

  stop() {
    clearTimeout(this.timer);
    this.queue = [];
    this.is_over = true;
  }
}

export class ChaosProxy {
  connections = new Set();

  // `random(n)` gives numbers below n.
  static async start(target_port, random) {
    const proxy = new ChaosProxy();
    Object.assign(proxy, { target_port, random });
    proxy.server = net.createServer({ noDelay: true, allowHalfOpen: true }, (near) => proxy.join(near));
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  join(near) {
    const far = net.connect({ port: this.target_port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const connection = { near, far, pipes: [new Pipe(near, far, this.random), new Pipe(far, near, this.random)] };
    this.connections.add(connection);
    const gone = () => near.destroyed && far.destroyed && this.connections.delete(connection);
    near.on('close', gone);
    far.on('close', gone);
  }

  // About `percent` of the connections that stand.
  some(percent) {
    return [...this.connections].filter(() => this.random(100) < percent);
  }

  // Both directions, or one of them, are changed by `change(pipe)`.
  each_pipe(percent, change) {
    const chosen = this.some(percent);
    for (const { pipes } of chosen) {
      const ways = this.random(3); // the way there, back, both
      for (const pipe of ways === 2 ? pipes : [pipes[ways]])
        change(pipe);
    }
    return chosen.length;
  }

  delay(percent, delay_ms, ms) {
    const until = performance.now() + ms;
    return this.each_pipe(percent, (pipe) => {
      pipe.delay_ms = delay_ms;
      setTimeout(() => { pipe.delay_ms = 0; }, until - performance.now());
    });
  }

  hold(percent, ms) {
    return this.each_pipe(percent, (pipe) => { pipe.held_until = performance.now() + ms; });
  }

  // What stands now, until it is released; what comes after is not held.
  hold_all() {
    this.hold_until(Infinity);
  }

  release_all() {
    this.hold_until(0);
  }

  hold_until(at) {
    for (const { pipes } of this.connections)
      for (const pipe of pipes) {
        pipe.held_until = at;
        pipe.pump();
      }
  }

  dribble(percent, ms) {
    return this.each_pipe(percent, (pipe) => { pipe.dribbled_until = performance.now() + ms; });
  }

  reset(percent) {
    const chosen = this.some(percent);
    for (const { near, far, pipes } of chosen) {
      pipes.forEach((pipe) => pipe.stop());
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return chosen.length;
  }

  close() {
    this.server.close();
    for (const { near, far, pipes } of this.connections) {
      pipes.forEach((pipe) => pipe.stop());
      near.destroy();
      far.destroy();
    }
  }
}
