// Free ports of the loopback, below those that the system gives to who asks for any: what somebody else
// opens meanwhile does not take them.
import { readFileSync } from 'node:fs';
import net from 'node:net';

const lowest = 10_000;
const [above] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);

const is_free = (port) => new Promise((resolve) => {
  const server = net.createServer().once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

// The first of `count` in a row.
export async function free_row(count) {
  for (let tries = 0; tries < 100; tries++) {
    const first = lowest + Math.floor(Math.random() * (above - lowest - count));
    const row = await Promise.all(Array.from({ length: count }, (_, i) => is_free(first + i)));
    if (row.every(Boolean))
      return first;
  }
  throw new Error(`no ${count} free ports in a row between ${lowest} and ${above}`);
}

export const free_port = () => free_row(1);

export async function free_ports(count) {
  const first = await free_row(count);
  return Array.from({ length: count }, (_, i) => first + i);
}
