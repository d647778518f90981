// The reference server as the conformance system of examples/conformance, to prove what the
// wire tables expect of both:
//
//   npm install --prefix /tmp/reference socket.io@4.8.4
//   node tests/flow/lib/reference.mjs /tmp/reference      # prints the line below, then serves
//   SIDECAST_WIRE_TARGET='{"calm":"http://…","quick":"http://…","open":"http://…"}' node --test tests/flow/23_wire_http.mjs
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { variants } from './conformance.mjs';

function add_namespaces(io) {
  const greet = (socket) => socket.emit('auth', socket.handshake.auth);
  io.on('connection', (socket) => {
    greet(socket);
    socket.on('message', (...args) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args) => typeof args.at(-1) === 'function' && args.pop()(...args));
    socket.on('join', (room, ack) => {
      socket.join(room);
      ack?.({ ok: true, recovered: socket.recovered });
    });
    socket.on('say', (room, ...args) => io.to(room).emit('said', ...args));
    socket.on('drop', () => socket.conn.close());
  });
  io.of('/custom').on('connection', greet);
  io.of('/auth').use((socket, next) =>
    next(Object.assign(new Error('Not authorized'), { data: { code: 'E_UNAUTH' } })));
}

function serve(reference, { ping_interval, ping_timeout, connect_timeout, upgrade_timeout, origins }) {
  const server = http.createServer((request, answer) => answer.writeHead(404).end());
  const options = {
    pingInterval: ping_interval, pingTimeout: ping_timeout, connectTimeout: connect_timeout,
    ...(upgrade_timeout && { upgradeTimeout: upgrade_timeout }),
    maxHttpBufferSize: 1_000_000, destroyUpgrade: false,
    ...(origins && { cors: { origin: origins, credentials: true } }),
  };
  const load = createRequire(path.join(path.resolve(reference), 'x.js'));
  const engine = load('engine.io').attach(server, { path: '/engine.io/', ...options });
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  add_namespaces(new (load('socket.io').Server)(server, options));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () =>
    resolve(`http://127.0.0.1:${server.address().port}`)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const urls = {};
  for (const [name, options] of Object.entries(variants))
    urls[name] = await serve(process.argv[2], options);
  console.log(JSON.stringify(urls));
}
