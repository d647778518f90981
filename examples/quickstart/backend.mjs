// A backend as one has it anyway: it keeps the cards, knows who is who, serves the page. All
// that it does for live updates are the two functions at the top: a token for each user, and
// one POST for each event.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Client } from './sidecast.mjs';

const port = 3000, gateway = 'http://127.0.0.1:7410';
const secret = (name) => readFileSync(new URL(`secrets/${name}`, import.meta.url), 'utf8');
const sidecast = new Client({
  url: 'http://127.0.0.1:7411',
  key: secret('api.keys').match(/sk_[\w-]+/)[0],
  secret: secret('jwt.key'),
});

// Who the user is and which projects are theirs, for an hour; any JWT library does this.
const token_of = ({ id, name, projects }) => sidecast.token(id, { ttl: 3600, name, projects });

// When it gives an answer, the event is kept, and every browser in the room gets it. The room
// follows from the event.
const publish = (event, data) => sidecast.broadcast(event, data);

// --- what the backend is about

const project = 7;
const users = { ada: 'Ada', grace: 'Grace', linus: 'Linus' };
const tasks = ['Sketch the board', 'Choose a colour', 'Invite the team', 'Water the plants', 'Ship it']
  .map((title, i) => ({ task: i + 1, title, column: ['done', 'doing', 'todo', 'todo', 'todo'][i] }));

// Stands for a login.
function user_of(url) {
  const id = url.searchParams.get('user') ?? 'ada';
  return Object.hasOwn(users, id) ? { id, name: users[id], projects: [project] } : null;
}

async function add({ title }, user) {
  const text = String(title ?? '').trim().slice(0, 80);
  if (!text)
    return 400;
  tasks.push({ task: tasks.length + 1, title: text, column: 'todo' });
  await publish('task.added', { project, task: tasks.length, title: text, by: user.name });
  return 204;
}

async function move({ task, to }, user) {
  const found = tasks.find((one) => one.task === task);
  if (!found || !['todo', 'doing', 'done'].includes(to))
    return 400;
  found.column = to;
  await publish('task.moved', { project, task, to, by: user.name });
  return 204;
}

// --- HTTP

const installed = createRequire(import.meta.url).resolve('socket.io-client/package.json');
const client = path.join(path.dirname(installed), 'dist/socket.io.min.js');
const page = (name) => new URL(`page/${name}`, import.meta.url);
const files = {
  '/': [page('index.html'), 'text/html'], '/board.js': [page('board.js'), 'text/javascript'],
  '/style.css': [page('style.css'), 'text/css'], '/socket.io.min.js': [client, 'text/javascript'],
};
const actions = { 'POST /tasks': add, 'POST /moves': move };

async function body_of(request) {
  let text = '';
  for await (const chunk of request)
    if ((text += chunk).length > 10_000)
      throw new Error('too long');
  return JSON.parse(text);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const user = user_of(url), action = actions[`${request.method} ${url.pathname}`];
  const json = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));

  if (!user)
    response.writeHead(403).end(`There is nobody of that name; try ${Object.keys(users).join(', ')}.`);
  else if (action)
    response.writeHead(await action(await body_of(request), user)).end();
  else if (url.pathname === '/session')
    json({ gateway, token: token_of(user), user: user.name, project });
  else if (url.pathname === '/tasks')
    json(tasks);
  else if (Object.hasOwn(files, url.pathname))
    response.setHeader('content-type', `${files[url.pathname][1]}; charset=utf-8`).end(readFileSync(files[url.pathname][0]));
  else
    response.writeHead(404).end();
}

http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error.message);
    response.writeHead(500).end();
  });
}).listen(port, '127.0.0.1', () => console.log(`the board is at http://127.0.0.1:${port}/?user=ada`));
