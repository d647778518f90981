// `sidecast serve` with its publisher and gateways, behind a bad network, and all that can be done
// to it: its processes killed, stopped and starved, its disk filled, its clock set, everything
// stopped and started again.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { children_of, random_text, Sidecast } from '../../flow/lib/sidecast.mjs';
import { until } from '../../flow/lib/wait.mjs';
import { ChaosProxy } from './chaos_proxy.mjs';
import { Process } from './fleet.mjs';

const ready_ms = 40_000;
const stop_ms = 60_000;
const own_port = 7410; // in a world of one's own
const token_s = 12 * 3600; // whatever the clock is set to, neither over nor too far away

function can_listen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

// The first of `count` ports in a row that nobody has, below those that the kernel gives out.
async function free_run(count) {
  for (let base = 20_000 + (process.pid * 16) % 10_000; base < 32_000; base += 16) {
    const ports = Array.from({ length: count }, (_, i) => base + i);
    const free = await Promise.all(ports.map(can_listen));
    if (free.every(Boolean))
      return base;
  }
  throw new Error('no free ports');
}

// As it comes out of the box, but that clients recover.
const own_config = 'namespaces: {/: {recovery: on}}\n';

// Options: gateways (how many), set (key=value each), hooks (test switches of all processes),
// durability, disk_mib (of data_dir, where a world of one's own allows it), world, random, config
// (a text).
export class House {
  boots = 1;

  static async start({
    gateways = 3, set = [], hooks = [], durability = 'log', disk_mib = 16, world, random, config = own_config,
  }) {
    const house = new House();
    Object.assign(house, { random, world, durability, gateway_count: gateways });
    house.folder = mkdtempSync(path.join(tmpdir(), 'sidecast-house-'));
    house.key = `sk_${random_text(32)}`;
    house.secret = random_text(48);
    try {
      house.make_disk(disk_mib);
      house.make_clock();
      const port = world.is_own ? own_port : await free_run(6);
      house.ports = { gateway: port, publisher: port + 1, ops: port + 2, bus: port + 3 };
      house.proxy = await ChaosProxy.start(port, random);
      house.line = house.command_line(set, hooks, config);
      await house.begin();
    } catch (error) {
      house.end();
      throw error;
    }
    return house;
  }

  make_disk(mib) {
    this.data = path.join(this.folder, 'data');
    mkdirSync(this.data, { mode: 0o700 });
    this.has_disk = this.world.is_own &&
      spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'none', this.data]).status === 0;
  }

  make_clock() {
    this.clock = path.join(this.folder, 'clock');
    this.set_clock(0);
  }

  // So many ms ahead of the true time, for all processes.
  set_clock(ms) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    const fd = openSync(this.clock, 'a+');
    closeSync(fd);
    const file = openSync(this.clock, 'r+');
    writeSync(file, bytes, 0, 8, 0); // in place: it is mapped
    closeSync(file);
  }

  command_line(set, hooks, config) {
    const file = path.join(this.folder, 'sidecast.yaml');
    if (config)
      writeFileSync(file, config, { mode: 0o600 });
    const settings = [
      `bus.url=tcp://127.0.0.1:${this.ports.bus}`, `data_dir=${this.data}`, `run_dir=${this.folder}/run`,
      `log.durability=${this.durability}`, ...set,
    ];
    return [
      'serve', '--json', '--port', String(this.ports.gateway), '--gateways', String(this.gateway_count), '--log-level', 'info',
      ...(config ? ['--config', file] : []),
      ...settings.flatMap((pair) => ['--set', pair]),
      ...[`clock=${this.clock}`, ...hooks].flatMap((name) => ['--test-hook', name]),
    ];
  }

  async begin() {
    const env = {
      ...process.env, TMPDIR: this.folder,
      SIDECAST_PUBLISHER_API_KEYS: this.key, SIDECAST_AUTH_JWT_HMAC_SECRET: this.secret,
    };
    this.process = new Process([...this.line, '--test-hook', `boot=${this.boots}`], env);
    const at = (port) => `http://127.0.0.1:${port}`;
    this.api = new Sidecast(this.process.child, this.folder, this);
    Object.assign(this.api, { gateway: at(this.ports.gateway), publisher: at(this.ports.publisher), ops: at(this.ports.ops) });
    this.gateway = this.proxy.url;
    await until(() => this.api.ready_line.includes('\n') || this.process.exited, ready_ms, () => `not ready\n${this.log()}`);
    if (this.process.exited)
      throw new Error(`ended at its start\n${this.log()}`);
  }

  log() {
    return this.process?.log.slice(-20_000) ?? '';
  }

  token(claims) {
    return this.api.mint({ exp: Math.floor(Date.now() / 1000) + token_s, ...claims });
  }

  // The pids of the roles as they are now: {publisher, g1, g2, …}. While a gateway drains, its
  // successor, "g1b", is there beside it, and is meant.
  roles() {
    const found = {};
    for (const pid of children_of(this.process.child.pid)) {
      const words = words_of(pid);
      const id = words.indexOf('--id');
      if (words[1] === 'publisher')
        found.publisher = pid;
      else if (words[1] === 'gateway' && id > 0)
        found[words[id + 1].replace(/b$/, '')] = pid;
    }
    return found;
  }

  // Gives the pid, or 0 where the role is not there now.
  signal(role, name) {
    const pid = this.roles()[role] ?? 0;
    try {
      if (pid)
        process.kill(pid, name);
    } catch {
      return 0; // it has just ended
    }
    return pid;
  }

  any_gateway() {
    return `g${1 + this.random(this.gateway_count)}`;
  }

  publish(body) {
    return this.api.publish(body);
  }

  async is_ready() {
    const told = await this.api.request(`${this.api.ops}/v1/stats`).catch(() => null);
    return told?.json?.complete && told.json.gateways.length >= this.gateway_count && told.json.gateways.every(({ ready }) => ready);
  }

  until_ready(ms = ready_ms) {
    return until(() => this.is_ready(), ms, () => `not ready after ${ms} ms\n${this.log()}`);
  }

  // What was synced is there after it; what was not, too: only a disk could lose that.
  async lose_power() {
    this.boots++;
    await this.restart('SIGKILL');
  }

  // As `systemctl restart`, or as a machine that is shut down and started.
  async restart(signal = 'SIGTERM') {
    const { log } = this.process;
    const children = children_of(this.process.child.pid);
    this.process.signal(signal);
    await until(() => this.process.exited, stop_ms, () => `still there after ${signal}\n${this.log()}`);
    if (signal === 'SIGTERM' && this.process.exited.code !== 0)
      throw new Error(`ended with ${JSON.stringify(this.process.exited)}\n${this.log()}`);
    await until(() => !children.some((pid) => words_of(pid).length), stop_ms, () => 'children are left');
    this.api.agent.destroy();
    await this.begin();
    this.process.log = log + this.process.log;
  }

  // As an operator ends it: exit 0, and no sanitizer has spoken.
  async stop() {
    this.api.agent.destroy();
    this.process.signal('SIGTERM');
    await until(() => this.process.exited, stop_ms, () => `still there\n${this.log()}`);
    this.api.log = this.process.log;
    this.api.assert_clean();
    if (this.process.exited.code !== 0)
      throw new Error(`ended with ${JSON.stringify(this.process.exited)}\n${this.log()}`);
    this.end();
  }

  end() {
    this.api?.agent.destroy();
    for (const pid of this.process && !this.process.exited ? [...children_of(this.process.child.pid), this.process.child.pid] : [])
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone by itself
      }
    this.proxy?.close();
    if (this.has_disk)
      spawnSync('umount', ['-l', this.data]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function words_of(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}
