// What an application does with socket.io-client, of any version, and what must come of it:
// auth, echo, acks, binary, namespaces on one connection, a burst, both sides talking while the
// transport changes, and a return.
import assert from 'node:assert/strict';
import { bound, sleep, until } from './wait.mjs';

const wait_ms = bound(4000);
const burst = 500;

export const transports = { polling: ['polling'], websocket: ['websocket'], both: undefined };

// All that an application would see go wrong is kept in `complaints`.
class Application {
  constructor(io, gateway, { transport, ...options }) {
    this.transport = transport;
    this.complaints = [];
    this.auth = { token: 'geheim', name: 'Zoë 😀' };
    this.socket = io(gateway, {
      forceNew: true, auth: this.auth, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: wait_ms,
      ...(transports[transport] && { transports: transports[transport] }), ...options,
    });
    this.manager = this.socket.io;
    this.came = this.keep(this.socket);
    this.socket.on('connect_error', (error) => this.complaints.push(`connect_error ${error.message}`));
    this.manager.on('error', (error) => this.complaints.push(`error ${error.message}`));
    this.drops = 0;
    this.socket.on('disconnect', (reason) => {
      this.reason = reason;
      if (!this.may_drop)
        this.complaints.push(`disconnect ${reason}`);
      this.drops++;
    });
  }

  keep(socket) {
    const came = { auth: [], back: [], said: [] };
    socket.on('auth', (payload) => came.auth.push(payload));
    socket.on('message-back', (...args) => came.back.push(args));
    socket.on('said', (n) => came.said.push(n));
    return came;
  }

  until(condition, what) {
    return until(() => this.complaints.length || condition(), wait_ms, () => `${what}: not within ${wait_ms} ms`)
      .then(() => assert.deepEqual(this.complaints, [], what));
  }

  ask(event, ...args) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ack of ${event}; ${this.complaints}`)), wait_ms);
      this.socket.emit(event, ...args, (...answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  // Sends at once from the first moment on, and goes on until the transport has changed.
  async talks() {
    let n = 0;
    const end = performance.now() + wait_ms, is_final = () =>
      this.transport === 'polling' || this.manager.engine.transport.name === 'websocket';
    const more = () => this.socket.emit('message', 'talk', n++);
    await this.until(() => this.socket.connected, 'connect');
    const joined = this.ask('join', 'talk');
    for (let i = 0; i < burst; i++)
      more();
    while (!(is_final() && n >= burst + 50) && performance.now() < end) {
      more();
      await sleep(2);
    }
    assert.ok(is_final(), 'the transport did not become a WebSocket');
    assert.equal((await joined)[0].ok, true);
    await this.until(() => this.came.back.length >= n, `${n} echoes`);
    assert.deepEqual(this.came.back.map(([, i]) => i), Array.from({ length: n }, (_, i) => i));
    assert.deepEqual(this.came.auth, [this.auth]);
  }

  // What the room was told came without a gap.
  async hears_the_room() {
    const at = this.came.said.length;
    await this.until(() => this.came.said.length > at + 3, 'words of the room');
    const said = [...this.came.said];
    assert.deepEqual(said, said.map((_, i) => said[0] + i));
  }

  async echoes() {
    const args = ['grüße 😀\u2028', { a: [1, null, true], b: '日本' }, 1.5];
    this.came.back.length = 0;
    this.socket.emit('message', ...args);
    await this.until(() => this.came.back.length, 'echo');
    assert.deepEqual(this.came.back, [args]);
    assert.deepEqual(await this.ask('message-with-ack', ...args), args);
  }

  async echoes_bytes() {
    const bytes = Buffer.from([0, 1, 0x1e, 255]), more = Buffer.alloc(3000, 7);
    this.came.back.length = 0;
    this.socket.emit('message', bytes, { deep: [more] }, 'text');
    await this.until(() => this.came.back.length, 'echo of bytes');
    assert.deepEqual(plain(this.came.back), [[[...bytes], { deep: [[...more]] }, 'text']]);
    assert.deepEqual(plain(await this.ask('message-with-ack', bytes, more)), [[...bytes], [...more]]);
  }

  async shares_the_connection() {
    const engine = this.manager.engine.id;
    const custom = this.manager.socket('/custom', { auth: { of: 'custom' } });
    const refused = this.manager.socket('/auth', { auth: {} });
    const came = this.keep(custom), errors = [];
    refused.on('connect_error', (error) => errors.push([error.message, error.data]));
    await this.until(() => custom.connected && came.auth.length && errors.length, 'two namespaces');
    assert.deepEqual(came.auth, [{ of: 'custom' }]);
    assert.deepEqual(errors, [['Not authorized', { code: 'E_UNAUTH' }]]);
    assert.notEqual(custom.id, this.socket.id);
    assert.equal(this.manager.engine.id, engine);
    await sleep(100);
    assert.equal(errors.length, 1, 'a refused namespace is asked for again');
    refused.disconnect();
    this.custom = custom;
  }

  // The server closes the connection; the client returns, with both namespaces, by itself.
  async returns() {
    const before = [this.socket.id, this.custom.id];
    this.may_drop = true;
    this.socket.emit('drop');
    await this.until(() => this.drops === 1, 'the drop');
    assert.equal(this.reason, 'transport close');
    await this.until(() => this.socket.connected && this.custom.connected, 'the return');
    this.may_drop = false;
    assert.ok(!before.includes(this.socket.id) && !before.includes(this.custom.id));
    await this.echoes();
  }

  async runs() {
    await this.talks();
    await this.hears_the_room();
    await this.echoes();
    await this.echoes_bytes();
    await this.shares_the_connection();
    await this.returns();
    assert.deepEqual(this.complaints, []);
  }

  close() {
    this.may_drop = true;
    this.socket.disconnect();
    this.manager._close?.();
  }
}

// Buffers, however a version shows them, as arrays.
function plain(value) {
  if (Buffer.isBuffer(value) || value instanceof ArrayBuffer)
    return [...new Uint8Array(value)];
  if (Array.isArray(value))
    return value.map(plain);
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)])) : value;
}

export async function run_application(io, gateway, options) {
  const application = new Application(io, gateway, options);
  try {
    await application.runs();
  } finally {
    application.close();
  }
}

// Says numbers to the room `talk` as long as `work` runs.
export async function while_talking(io, gateway, work) {
  const socket = io(gateway, { forceNew: true, transports: ['websocket'] });
  let n = 0;
  const timer = setInterval(() => socket.connected && socket.emit('say', 'talk', n++), 10);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    socket.disconnect();
  }
}
