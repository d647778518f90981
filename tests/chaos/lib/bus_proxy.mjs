// A proxy in front of the bus' three sockets: what goes through it can be cut at any byte.
import { mkdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const links = ['events', 'directory', 'replay'];
// A connection that is cut in its handshake may end the bus library's listener, or dialer, for
// good: that is the watchdog's part (32_bus_heals.mjs), and not what is tried here. One that has
// carried a message since is past it.
const handshake_bytes = 8;
const settled_ms = 30;

export class BusProxy {
  constructor(from, to) {
    this.connections = new Set();
    this.cuts = 0;
    mkdirSync(from, { mode: 0o700 });
    this.servers = links.map((name) => {
      const server = net.createServer((near) => this.join(near, path.join(to, name)));
      server.listen(path.join(from, name));
      return server;
    });
    this.folder = from;
  }

  join(near, target) {
    const connection = { near, far: net.connect(target), bytes: 0, stands_ms: Infinity };
    const close = () => {
      near.destroy();
      connection.far.destroy();
      this.connections.delete(connection);
    };
    const forward = (to, counts) => (data) => {
      to.write(data);
      if (counts && connection.stands_ms === Infinity) {
        connection.bytes += data.length;
        if (connection.bytes > handshake_bytes)
          connection.stands_ms = performance.now() + settled_ms;
      }
    };
    this.connections.add(connection);
    near.on('data', forward(connection.far, false));
    connection.far.on('data', forward(near, true));
    for (const socket of [near, connection.far]) {
      socket.on('error', close);
      socket.on('close', close);
    }
  }

  // Cuts one of the connections that stand, or all of them. Gives how many.
  cut(random, all = false) {
    const now = performance.now();
    const standing = [...this.connections].filter(({ stands_ms }) => now > stands_ms);
    const chosen = all || standing.length === 0 ? standing : [standing[random(standing.length)]];
    for (const { near, far } of chosen) {
      near.destroy();
      far.destroy();
    }
    this.cuts += chosen.length;
    return chosen.length;
  }

  close() {
    for (const server of this.servers)
      server.close();
    for (const { near, far } of this.connections) {
      near.destroy();
      far.destroy();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
