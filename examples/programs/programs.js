// The page: shows what is told in the programs that the token names; nothing is joined, nothing is
// sent. The token stands behind the # of the address, which browsers send to nobody.
const gateway = new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:7410';
const token = location.hash.slice(1);
const feed = document.querySelector('#feed');
const state = document.querySelector('#state');
const kept = [];
const rows_kept = 200;
let program = null; // the one that is looked at; null: all
let lastEventTimestamp;

const socket = window.io(gateway, {
  auth: (send) => send({ token, lastEventTimestamp }), // asked again at each connect
});

const told = {
  'request:created': ({ title }) => `asks for “${title}”`,
  'request:updated': ({ changes }) => `changed ${Object.keys(changes).join(', ')}`,
  'request:status_changed': ({ from, to }) => `moved it from ${from} to ${to}`,
  'request:assigned': ({ assigneeId }) => `gave it to ${assigneeId}`,
  'comment:added': ({ text }) => `says: ${text}`,
  'comment:deleted': () => 'took a comment back',
  'attachment:uploaded': ({ name }) => `attached ${name}`,
  'attachment:deleted': () => 'removed an attachment',
};

function show_state(text, kind = '') {
  state.textContent = text;
  state.className = kind;
}

function make_row({ event, programId, requestId, data, performedBy, timestamp }) {
  const row = document.querySelector('#item').content.cloneNode(true).firstElementChild;
  row.dataset.kind = event.split(':')[0];
  row.querySelector('b').textContent = performedBy.name;
  row.querySelector('i').replaceWith(told[event](data));
  row.querySelector('time').textContent = new Date(timestamp).toLocaleTimeString();
  row.querySelector('small').textContent = `request ${requestId} in program ${programId}, ${event}`;
  return row;
}

function show_feed() {
  const rows = kept.filter((one) => program === null || one.programId === program).map(make_row);
  if (rows.length === 0) {
    const empty = Object.assign(document.createElement('li'), { className: 'empty' });
    empty.textContent = 'Nothing yet: node publisher.mjs';
    rows.push(empty);
  }
  feed.replaceChildren(...rows);
}

function show_programs() {
  const { programs } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  document.querySelector('nav').replaceChildren(...[null, ...programs].map((id) => {
    const button = document.createElement('button');
    button.textContent = id === null ? 'All' : `Program ${id}`;
    button.ariaPressed = String(id === program);
    button.addEventListener('click', () => {
      program = id;
      show_programs();
      show_feed();
    });
    return button;
  }));
}

socket.on('connect', () => {
  show_state(`listening by ${socket.io.engine.transport.name}`, 'on');
  socket.io.engine.once('upgrade', ({ name }) => show_state(`listening by ${name}`, 'on'));
});
socket.on('disconnect', (reason) => show_state(reason));
socket.on('connect_error', ({ message }) => show_state(message, 'off'));
// Too long away: not all that was told since comes.
socket.on('catchup', ({ rooms }) => show_state(`older events are missing in ${rooms.join(', ')}`, 'off'));
// The event whose time was named comes again with those after it.
const is_known = (one) => kept.some((other) => JSON.stringify(other) === JSON.stringify(one));
for (const event of Object.keys(told))
  socket.on(event, (one) => {
    lastEventTimestamp = one.timestamp;
    if (is_known(one))
      return;
    kept.unshift(one);
    kept.length = Math.min(kept.length, rows_kept);
    show_feed();
  });

show_feed();
if (token)
  show_programs();
