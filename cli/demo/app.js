// The demo page: two clients, the way of the last event, and a call to copy.
import { startNative, startSocketIo } from '/demo/clients.js';
import { showSnippets } from '/demo/snippets.js';
import { follow } from '/demo/way.js';

const MOST_EVENTS = 50;
const REMEMBERED_MS = 2000;

const lateness = (at) => {
  const ms = Date.now() - at;
  return ms < 1 ? '< 1 ms' : `${ms} ms`;
};

function makePane(id) {
  const root = document.getElementById(id);
  const state = root.querySelector('.state');
  const list = root.querySelector('.events');

  return {
    state(name, text) {
      state.dataset.state = name;
      state.lastElementChild.textContent = text;
    },
    add({ event, data }) {
      const item = document.createElement('li');
      const parts = ['event', 'data', 'late'].map((name) => {
        const span = document.createElement('span');
        span.className = name;
        item.append(span);
        return span;
      });
      const isPlain = data && typeof data.text === 'string' && Object.keys(data).length === 1;

      parts[0].textContent = event;
      parts[1].textContent = isPlain ? data.text : JSON.stringify(data) ?? 'no data';
      item.className = 'new';
      list.prepend(item);
      while (list.children.length > MOST_EVENTS)
        list.lastElementChild.remove();
      return (late) => { parts[2].textContent = late; };
    },
  };
}

// The Socket.IO event carries no time of its own. Both clients are in one room and get its
// events in one order, so the n-th like event of one is the n-th of the other.
const sides = { sio: [], native: [] };

function pair(side, other, mine) {
  const now = Date.now();
  const recent = (entry) => now - entry.seen < REMEMBERED_MS;
  const queue = sides[other].filter(recent);
  const at = queue.findIndex((entry) => entry.key === mine.key);

  sides[other] = queue;
  if (at >= 0)
    return queue.splice(at, 1)[0];
  sides[side] = [...sides[side].filter(recent), mine].slice(-MOST_EVENTS);
  return null;
}

const keyOf = ({ event, data }) => `${event} ${JSON.stringify(data)}`;
const lateBetween = (at, seen) => (seen - at < 1 ? '< 1 ms' : `${seen - at} ms`);

function watch() {
  const sio = makePane('sio');
  const native = makePane('native');

  sio.event = (what) => {
    const mine = { key: keyOf(what), seen: Date.now(), tell: sio.add(what) };
    const twin = pair('sio', 'native', mine);
    if (twin)
      mine.tell(lateBetween(twin.at, mine.seen));
  };
  native.event = (what) => {
    const mine = { key: keyOf(what), seen: Date.now(), at: what.at };
    const late = lateness(what.at);
    native.add(what)(late);
    const twin = pair('native', 'sio', mine);
    if (twin)
      twin.tell(lateBetween(what.at, twin.seen));
    follow(what.id, late);
  };
  return { sio, native };
}

function enableSending({ room }) {
  const form = document.getElementById('send');
  const answer = document.getElementById('answer');
  const button = form.querySelector('button');

  async function send() {
    const reply = await fetch('/demo/publish', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ room, event: 'hello', data: { text: form.text.value } }),
    });
    const told = await reply.json();
    const code = document.createElement('code');

    if (!reply.ok)
      throw new Error(`${told.code}: ${told.detail}`);
    code.textContent = told.id;
    answer.textContent = `${reply.status} accepted, ${told.recipients ?? 'unknown'} recipients, id `;
    answer.append(code);
    answer.className = 'answer good';
  }

  form.addEventListener('submit', async (submit) => {
    submit.preventDefault();
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      answer.textContent = error.message;
      answer.className = 'answer bad';
    }
    button.disabled = false;
  });
}

const config = await (await fetch('/demo/config.json')).json();
const panes = watch();

showSnippets(config);
enableSending(config);
startSocketIo(config, panes.sio);
startNative(config, panes.native);
