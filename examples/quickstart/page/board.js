// The board: what the backend has, kept up to date by the events that Sidecast brings.
const columns = [['todo', 'To do'], ['doing', 'Doing'], ['done', 'Done']];
const me = new URL(location.href).searchParams.get('user') ?? 'ada';
const lookMs = 2500;
const feedLines = 6;
const cards = new Map(); // task → {title, column, node}

const $ = (id) => document.getElementById(id);
const clone = (id) => $(id).content.firstElementChild.cloneNode(true);
const ask = (path, options) => fetch(`${path}?user=${encodeURIComponent(me)}`, options);
const tell = async (path, body) => (await ask(path, { method: 'POST', body: JSON.stringify(body) })).text();

// --- what is seen

const lists = Object.fromEntries(columns.map(([id, name]) => {
  const node = clone('column');
  node.dataset.column = id;
  node.querySelector('.name').textContent = name;
  $('board').append(node);
  return [id, node.querySelector('ul')];
}));

function count() {
  for (const list of Object.values(lists))
    list.parentElement.querySelector('.count').textContent = list.children.length;
}

function flash(node) {
  node.classList.remove('new');
  void node.offsetWidth; // so that the animation begins again
  node.classList.add('new');
}

function make(task, title) {
  const node = clone('card');
  const step = (by) => {
    const at = columns.findIndex(([id]) => id === cards.get(task).column) + by;
    if (columns[at])
      tell('/moves', { task, to: columns[at][0] });
  };
  node.dataset.task = task;
  node.querySelector('.title').textContent = title;
  node.querySelector('.back').addEventListener('click', () => step(-1));
  node.querySelector('.on').addEventListener('click', () => step(1));
  for (const sign of ['pointerenter', 'focusin'])
    node.addEventListener(sign, () => look(task));
  return { title, node };
}

// The same card as often as one likes: what was known is not made twice.
function put({ task, title, column }) {
  const card = cards.get(task) ?? make(task, title);
  if (card.column === column)
    return;
  cards.set(task, Object.assign(card, { column }));
  lists[column].append(card.node);
  card.node.querySelector('.back').disabled = column === columns[0][0];
  card.node.querySelector('.on').disabled = column === columns.at(-1)[0];
  flash(card.node);
  count();
}

function say(by, what) {
  const line = document.createElement('li');
  const who = document.createElement('b');
  who.textContent = by;
  line.append(who, ` ${what}`);
  $('feed').prepend(line);
  while ($('feed').children.length > feedLines)
    $('feed').lastElementChild.remove();
}

function show(state, text) {
  $('state').dataset.state = state;
  $('state-text').textContent = text;
}

// --- what happens

const session = await (await ask('/session')).json();
const socket = window.io(session.gateway, {
  // Asked again at each return: a token lasts an hour. Where the backend is away, too: later.
  auth: (give) => ask('/session').then((answer) => answer.json())
    .then(({ token }) => give({ token }), () => socket.io.engine.close()),
});

let loaded; // events wait for it, so that no older answer of the backend undoes them
const load = async () => (await (await ask('/tasks')).json()).forEach(put);

socket.on('connect', () => {
  show('connected', `live as ${session.user}${socket.recovered ? ', nothing missed' : ''}`);
  // Recovered: what was missed follows by itself. Else this is a new session, the first one or one
  // after a long time away: rooms that the page itself had joined would be joined again here (these
  // are joined by the file), and then the backend is asked how things are.
  if (!socket.recovered)
    loaded = load().catch(() => show('lost', 'the backend does not answer'));
});
socket.on('disconnect', (reason) => {
  show('waiting', 'coming back');
  if (reason === 'io server disconnect') // its token is over; after all else it tries by itself
    socket.connect();
});
socket.on('connect_error', (error) => show('lost', error.message));

socket.on('task.added', async ({ task, title, by }) => {
  await loaded;
  put({ task, title, column: 'todo' });
  say(by, `added “${title}”`);
});
socket.on('task.moved', async ({ task, to, by }) => {
  await loaded;
  const card = cards.get(task);
  if (!card)
    return;
  put({ task, title: card.title, column: to });
  say(by, `moved “${card.title}” to ${columns.find(([id]) => id === to)[1]}`);
});

// From browser to browser, without the backend: a command of the configuration.
function look(task) {
  socket.volatile.emit('look', { project: session.project, task });
}
socket.on('looking', ({ task, by }) => {
  const who = cards.get(task)?.node.querySelector('.who');
  if (!who)
    return;
  for (const other of document.querySelectorAll('.who'))
    if (other.textContent === by)
      other.textContent = '';
  who.textContent = by;
  clearTimeout(who.timer);
  who.timer = setTimeout(() => { who.textContent = ''; }, lookMs);
});

$('add').addEventListener('submit', (submit) => {
  submit.preventDefault();
  tell('/tasks', { title: $('title').value });
  $('title').value = '';
});

$('project').textContent = session.project;
for (const user of ['ada', 'grace', 'linus']) {
  const link = document.createElement('a');
  link.href = `/?user=${user}`;
  link.textContent = user;
  if (user === me)
    link.setAttribute('aria-current', 'page');
  else
    link.target = '_blank';
  $('people').append(link);
}
