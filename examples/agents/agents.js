// The page: subscribes to rooms by their full names and shows the envelopes that come. The token
// stands behind the # of the address, which browsers send to nobody.
const gateway = new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:8000';
const socket = window.io(`${gateway}/ws`, { auth: { token: location.hash.slice(1) } });
const state = document.querySelector('#state');
const note = document.querySelector('#note');
const feed = document.querySelector('#feed');
const rooms = new Map(); // name → its item
const workflows = new Map(); // id → its item
const rows_shown = 50;

function show_state(text, kind = '') {
  state.textContent = text;
  state.className = kind;
  document.querySelector('form button').disabled = kind !== 'on';
}

async function ask(command, room) {
  const answer = await socket.timeout(5000).emitWithAck(command, { room })
    .catch((error) => ({ status: 'error', message: error.message }));
  note.textContent = answer.status === 'success' ? '' : `${command} ${room}: ${answer.message}`;
  return answer.status === 'success';
}

socket.on('connect', () => {
  show_state(`connected by ${socket.io.engine.transport.name}`, 'on');
  socket.io.engine.once('upgrade', ({ name }) => show_state(`connected by ${name}`, 'on'));
  for (const room of rooms.keys())
    ask('subscribe', room);
});
socket.on('disconnect', (reason) => show_state(reason));
socket.on('connect_error', ({ message, data }) => show_state(data?.data ? `${message} (${data.data.code})` : message, 'off'));
socket.on('connection_established', ({ data }) => {
  document.querySelector('#who').textContent = `${data.user.email}, ${data.user.role}`;
});

function show_room(room) {
  const item = document.createElement('li'), button = document.createElement('button');
  button.textContent = `${room} ✕`;
  button.title = `Leave ${room}`;
  button.addEventListener('click', async () => {
    if (!(await ask('unsubscribe', room)))
      return;
    rooms.delete(room);
    item.remove();
  });
  item.append(button);
  document.querySelector('#rooms').append(item);
  rooms.set(room, item);
}

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const room = new FormData(event.target).get('room').trim();
  if (await ask('subscribe', room) && !rooms.has(room))
    show_room(room);
});

function make_workflow(id) {
  const item = document.createElement('li');
  const line = item.appendChild(document.createElement('p'));
  line.appendChild(document.createElement('b')).textContent = `workflow ${id}`;
  line.append(document.createElement('span'));
  item.appendChild(document.createElement('progress')).max = 100;
  document.querySelector('#workflows').prepend(item);
  workflows.set(id, item);
  return item;
}

function show_workflow(type, { workflow_id, progress, current_step, error }) {
  const item = workflows.get(workflow_id) ?? make_workflow(workflow_id);
  const words = { 'workflow.started': 'started', 'workflow.completed': 'done', 'workflow.failed': error };
  item.querySelector('span').textContent = words[type] ?? current_step;
  item.className = { 'workflow.completed': 'done', 'workflow.failed': 'failed' }[type] ?? '';
  item.querySelector('progress').value = { 'workflow.started': 0, 'workflow.completed': 100 }[type] ?? progress
    ?? item.querySelector('progress').value;
}

const in_words = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function tell({ type, data, timestamp }) {
  const row = document.createElement('li');
  const text = Object.entries(data).map(([name, value]) => `${name} ${in_words(value)}`).join(', ');
  for (const [tag, content] of [['time', new Date(timestamp).toLocaleTimeString('en-GB')], ['b', type], ['span', text]])
    row.appendChild(document.createElement(tag)).textContent = content;
  feed.querySelector('.empty')?.remove();
  feed.prepend(row);
  while (feed.children.length > rows_shown)
    feed.lastElementChild.remove();
}

socket.onAny((event, envelope) => {
  if (!envelope?.type || event === 'connection_established')
    return;
  if (event.startsWith('workflow.'))
    show_workflow(event, envelope.data);
  tell(envelope);
});
