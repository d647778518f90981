// The page: says who it is after each connect, and shows what comes, in the reader's language.
// USER.TOKEN stands behind the # of the address, which browsers send to nobody.
const gateway = new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:3001';
const [, userId, token] = location.hash.match(/^#(.*?)\.(.*)$/) ?? [];
const socket = window.io(gateway);
const inbox = document.querySelector('#inbox');
const state = document.querySelector('#state');
const language = document.querySelector('#language');
const notifications = []; // the newest first
const shown = 50;
const beat_ms = 20_000;
let read_in = 'en';

function show_state(text, kind = '') {
  state.textContent = text;
  state.className = kind;
}

function make_item({ title, body, metadata = {}, at }, is_new) {
  const item = document.querySelector('#item').content.cloneNode(true).firstElementChild;
  const link = item.querySelector('a');
  item.classList.toggle('arrived', is_new);
  item.classList.toggle('high', metadata.priority === 'high');
  item.querySelector('.icon').textContent = metadata.icon ?? '✉';
  item.querySelector('b').textContent = title[read_in];
  item.querySelector('p').textContent = body[read_in];
  item.querySelector('time').textContent = at.toLocaleTimeString(read_in, { hour: '2-digit', minute: '2-digit' });
  link.hidden = !/^(https?:|\/)/.test(metadata.url ?? '');
  if (!link.hidden)
    link.href = link.textContent = metadata.url;
  return item;
}

function show_all(is_new = false) {
  inbox.dir = read_in === 'he' ? 'rtl' : 'ltr';
  inbox.lang = read_in;
  inbox.replaceChildren(...notifications.map((one, i) => make_item(one, is_new && i === 0)));
  document.querySelector('#count').textContent = notifications.length || '';
  document.querySelector('.empty').hidden = notifications.length > 0;
}

socket.on('connect', () => {
  show_state('connected; saying who we are');
  socket.emit('auth', { userId, jwt: `bearer ${token}` });
});
socket.on('auth_success', (user) => show_state(`user ${user.userId}, this device is known`, 'on'));
socket.on('auth_error', ({ message }) => show_state(`refused: ${message}`, 'off'));
socket.on('disconnect', (reason) => state.className === 'off' || show_state(reason));
socket.on('connect_error', ({ message }) => show_state(message, 'off'));
socket.on('notification', (notification) => {
  notifications.unshift({ ...notification, at: new Date() });
  notifications.length = Math.min(notifications.length, shown);
  show_all(true);
});
socket.on('pong', () => { state.title = `last answer ${new Date().toLocaleTimeString()}`; });
setInterval(() => socket.connected && socket.emit('ping'), beat_ms);

language.addEventListener('click', () => {
  read_in = read_in === 'en' ? 'he' : 'en';
  language.textContent = read_in === 'en' ? 'עברית' : 'English';
  language.lang = read_in === 'en' ? 'he' : 'en';
  show_all();
});
