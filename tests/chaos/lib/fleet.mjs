// One publisher and several gateways without a supervisor, so that each can be stopped, killed
// and started by the scenario; between them and the bus stands a proxy that can cut.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { free_ports } from '../../flow/lib/ports.mjs';
import { program, random_text, Sidecast } from '../../flow/lib/sidecast.mjs';
import { until } from '../../flow/lib/wait.mjs';
import { BusProxy } from './bus_proxy.mjs';

const ready_ms = 20_000;
const stop_ms = 20_000;

export class Process {
  // `inside`: a command that runs the program in a world of its own, under the same pid.
  constructor(args, env, inside = []) {
    this.args = args;
    this.command = [...inside, program, ...args];
    this.env = env;
    this.log = '';
    this.start();
  }

  start() {
    this.exited = null;
    this.child = spawn(this.command[0], this.command.slice(1), { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr.on('data', (data) => { this.log += data; });
    this.child.on('exit', (code, signal) => { this.exited = { code, signal }; });
  }

  signal(name) {
    if (!this.exited)
      this.child.kill(name);
  }

  async kill() {
    this.signal('SIGKILL');
    await until(() => this.exited, stop_ms);
  }
}

// Options: gateways (how many), set (key=value each), hooks(i) gives gateway i its switches,
// publisher_hooks are the publisher's, and publisher_inside(folder of its data) what it runs in.
export class Fleet {
  static async start({ gateways = 2, set = [], hooks = () => [], publisher_hooks = [], publisher_inside = () => [], proxied = true } = {}) {
    const fleet = new Fleet();
    fleet.folder = mkdtempSync(path.join(tmpdir(), 'sidecast-fleet-'));
    fleet.key = `sk_${random_text(32)}`;
    fleet.secret = random_text(48);
    try {
      await fleet.open({ gateways, set, hooks, publisher_hooks, publisher_inside, proxied });
    } catch (error) {
      await fleet.kill();
      throw error;
    }
    return fleet;
  }

  async open({ gateways, set, hooks, publisher_hooks, publisher_inside, proxied }) {
    const ports = await free_ports(gateways + 2);
    const env = {
      ...process.env, TMPDIR: this.folder,
      SIDECAST_PUBLISHER_API_KEYS: this.key, SIDECAST_AUTH_JWT_HMAC_SECRET: this.secret,
    };
    const bus = path.join(this.folder, 'bus');
    const settings = (pairs) => [...pairs, ...set].flatMap((pair) => ['--set', pair]);
    const at = (port) => `127.0.0.1:${port}`;

    this.publisher_process = new Process(['publisher', ...settings([
      `bus.url=ipc://${bus}`, `data_dir=${path.join(this.folder, 'data')}`, `publisher.listen=${at(ports[0])}`, `ops.listen=${at(ports[1])}`]),
    ...publisher_hooks.flatMap((name) => ['--test-hook', name])], env, publisher_inside(path.join(this.folder, 'data')));
    this.publisher = `http://${at(ports[0])}`;
    this.ops = `http://${at(ports[1])}`;
    this.api = new Sidecast(this.publisher_process.child, this.folder, this);
    Object.assign(this.api, { publisher: this.publisher, ops: this.ops, key: this.key });
    this.token = this.api.mint({ sub: 'tester', rooms: ['**'] });
    await until(() => existsSync(path.join(bus, 'replay')), ready_ms, () => this.publisher_process.log);
    this.proxy = proxied ? new BusProxy(path.join(this.folder, 'near'), bus) : null;
    const near = proxied ? path.join(this.folder, 'near') : bus;

    this.gateways = ports.slice(2).map((port, i) => Object.assign(
      new Process(['gateway', '--id', `g${i + 1}`,
        ...settings([`bus.url=ipc://${near}`, `gateway.listen=${at(port)}`]),
        ...hooks(i, this.folder).flatMap((name) => ['--test-hook', name])], env),
      { gateway: `http://${at(port)}`, token: this.token }));
    await this.until_ready();
  }

  async until_ready() {
    const urls = [this.publisher, ...this.gateways.map(({ gateway }) => gateway)];
    const is_ready = async () => (await Promise.all(urls.map((url) =>
      this.api.request(`${url}/readyz`).catch(() => ({ status: 0 })))))
      .every(({ status }) => status === 200);
    await until(() => {
      const gone = this.processes().find(({ exited }) => exited);
      if (gone)
        throw new Error(`ended at its start: ${gone.args.join(' ')}\n${gone.log}`);
      return is_ready();
    }, ready_ms, () => `not ready after ${ready_ms} ms\n${this.logs()}`);
  }

  processes() {
    return [...(this.gateways ?? []), this.publisher_process].filter(Boolean);
  }

  logs() {
    return this.processes().map(({ args, log }) => `--- ${args.slice(0, 3).join(' ')}\n${log.slice(-8000)}`)
      .join('\n');
  }

  publish(body) {
    return this.api.publish(body);
  }

  // What the shim of gateway i lost: [first seq, events, microseconds of the monotonic clock].
  losses(i) {
    const file = this.record(i);
    if (!existsSync(file))
      return [];
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
      .map((line) => line.split(' ').map(Number));
  }

  record(i) {
    return path.join(this.folder, `lost-${i}`);
  }

  // As an operator ends it: all exit with 0, and no sanitizer has spoken.
  async stop() {
    this.api.agent.destroy();
    for (const one of this.processes()) {
      one.signal('SIGTERM');
      await until(() => one.exited, stop_ms, () => `still there: ${one.args.join(' ')}\n${one.log}`);
      if (one.exited.code !== 0)
        throw new Error(`${one.args.join(' ')} ended with ${JSON.stringify(one.exited)}\n${one.log}`);
      this.api.log = one.log;
      this.api.assert_clean();
    }
    this.forget();
  }

  // The hard way, for a scenario that has failed.
  async kill() {
    for (const one of this.processes())
      one.signal('SIGKILL');
    this.forget();
  }

  forget() {
    this.api?.agent.destroy();
    this.proxy?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
