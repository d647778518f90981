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

const greet = (socket) => socket.emit('auth', socket.handshake.auth);

function add_commands(nsp) {
  nsp.on('connection', (socket) => {
    socket.on('message', (...args) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args) => typeof args.at(-1) === 'function' && args.pop()(...args));
    socket.on('join', (room, ack) => {
      socket.join(room);
      ack?.({ ok: true, recovered: socket.recovered });
    });
    socket.on('say', (room, ...args) => nsp.to(room).emit('said', ...args));
    socket.on('drop', () => socket.conn.close());
  });
}

function add_namespaces(io) {
  io.on('connection', greet);
  add_commands(io.of('/'));
  io.of('/custom').on('connection', greet);
  io.of('/auth').use((socket, next) =>
    next(Object.assign(new Error('Not authorized'), { data: { code: 'E_UNAUTH' } })));
}

// What lib/wire_recovery.yaml has beside these.
function add_returns(io) {
  add_commands(io.of('/custom'));
  for (const nsp of [io.of('/'), io.of('/custom')])
    nsp.on('connection', (socket) => {
      let left = 1;
      const throw_out = (code) => {
        socket.emit('error', { code, message: '*', meta: {} });
        socket.disconnect(true);
      };
      socket.on('leave', (room, ack) => {
        socket.leave(room);
        ack({ ok: true });
      });
      socket.on('whisper', (room, ...args) => nsp.to(room).volatile.emit('whispered', ...args));
      socket.on('once', () => left-- > 0 || throw_out('E_RATE_LIMIT'));
      socket.on('unheard-of', () => throw_out('E_UNKNOWN_EVENT'));
    });
}

function serve(reference, { ping_interval, ping_timeout, connect_timeout, upgrade_timeout, origins, window }) {
  const server = http.createServer((request, answer) => answer.writeHead(404).end());
  const options = {
    pingInterval: ping_interval, pingTimeout: ping_timeout, connectTimeout: connect_timeout,
    ...(upgrade_timeout && { upgradeTimeout: upgrade_timeout }),
    maxHttpBufferSize: 1_000_000, destroyUpgrade: false,
    ...(origins && { cors: { origin: origins, credentials: true } }),
    ...(window && { connectionStateRecovery: { maxDisconnectionDuration: window, skipMiddlewares: true } }),
  };
  const load = createRequire(path.join(path.resolve(reference), 'x.js'));
  const engine = load('engine.io').attach(server, { path: '/engine.io/', ...options });
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const io = new (load('socket.io').Server)(server, options);
  add_namespaces(io);
  if (window)
    add_returns(io);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () =>
    resolve(`http://127.0.0.1:${server.address().port}`)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const urls = {};
  for (const [name, options] of Object.entries(variants))
    urls[name] = await serve(process.argv[2], options);
  console.log(JSON.stringify(urls));
}
