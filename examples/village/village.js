// The page: joins rooms by commands with acks, shows what is told there, and is back in its rooms
// after a drop: by itself, or after a long one by joining again. The token stands behind the # of
// the address, which browsers send to nobody.
const gateway = new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:7410';
const socket = window.io(gateway, { auth: { token: location.hash.slice(1) } });
const feed = document.querySelector('#feed');
const state = document.querySelector('#state');
const joined = new Map(); // room → how to join it again
const rows_shown = 50;

function show_state(text, kind = '') {
  state.textContent = text;
  state.className = kind;
  for (const button of document.querySelectorAll('form button'))
    button.disabled = kind !== 'on';
}

socket.on('connect', async () => {
  show_state(`connected by ${socket.io.engine.transport.name}`, 'on');
  socket.io.engine.once('upgrade', ({ name }) => show_state(`connected by ${name}`, 'on'));
  if (socket.recovered || joined.size === 0)
    return; // recovered: in its rooms, and what was missed follows by itself
  await Promise.all([...joined.values()].map((join) => join()));
  // Now that nothing falls between, a page with a state of its own asks its backend for it.
  tell('agent', 'joined again', 'what happened meanwhile is not shown here');
});
socket.on('disconnect', (reason) => show_state(reason));
socket.on('connect_error', ({ message, data }) => {
  show_state(data ? `${message}: ${data.reason}` : message, 'off');
});
socket.on('welcome', ({ user, lastSeen }) => {
  const seen = lastSeen ? `last seen ${new Date(lastSeen).toLocaleString('en-GB')}` : 'here for the first time';
  document.querySelector('#who').textContent = `user ${user.id}, ${user.roles.join(', ') || 'no roles'}, ${seen}`;
});
socket.on('server_ping', (_, ack) => ack()); // the server measures the round trip
socket.on('error', ({ code, message }) => tell('agent', code, message));

function set_up(section) {
  const { kind, field } = section.dataset;
  section.append(document.querySelector('#joiner').content.cloneNode(true));
  const note = section.querySelector('.note');
  const rooms = section.querySelector('.rooms');

  async function ask(command, id) {
    const answer = await socket.timeout(5000).emitWithAck(`${command}_${kind}`, { [field]: id })
      .catch((error) => ({ ok: false, error: error.message }));
    note.textContent = answer.ok ? '' : `${command} ${id}: ${answer.error}`;
    return answer;
  }

  function show_room(room, id) {
    const item = document.createElement('li'), button = document.createElement('button');
    button.textContent = `${id} ✕`;
    button.title = `Leave ${room}`;
    button.addEventListener('click', async () => {
      if (!(await ask('leave', id)).ok)
        return;
      joined.delete(room);
      item.remove();
    });
    item.append(button);
    rooms.append(item);
  }

  section.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const id = new FormData(event.target).get('id').trim();
    const answer = await ask('join', id);
    if (answer.ok && !joined.has(answer.room)) {
      joined.set(answer.room, () => ask('join', id));
      show_room(answer.room, id);
    }
  });
}

function tell(kind, what, text, at = Date.now()) {
  const row = document.createElement('li');
  row.className = kind;
  for (const [tag, content] of [['time', new Date(at).toLocaleTimeString('en-GB')], ['b', what], ['span', text]])
    row.appendChild(document.createElement(tag)).textContent = content;
  feed.querySelector('.empty')?.remove();
  feed.prepend(row);
  while (feed.children.length > rows_shown)
    feed.lastElementChild.remove();
}

const told = {
  work_stream: ({ villageId, message, ts }) => tell('village', `village ${villageId}`, message, ts),
  agent_update: ({ agentId, status, metrics, ts }) =>
    tell('agent', `agent ${agentId}`, [status, ...Object.entries(metrics).map((pair) => pair.join(' '))].join(', '), ts),
  bug_bot_spawn: ({ bugId, repoId, details, ts }) =>
    tell('repo', `repo ${repoId}`, `bug ${bugId}: ${typeof details === 'string' ? details : JSON.stringify(details)}`, ts),
  bug_bot_resolved: ({ bugId, repoId, resolution, ts }) =>
    tell('repo', `repo ${repoId}`, `bug ${bugId} is resolved: ${resolution}`, ts),
};
for (const [event, handle] of Object.entries(told))
  socket.on(event, handle);
document.querySelectorAll('section[data-kind]').forEach(set_up);
