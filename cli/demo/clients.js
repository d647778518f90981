// The two clients of the page: the official Socket.IO client, and a WebSocket by hand.
// Each tells `pane` its state and its events: state(name, text), event(what).

export function startSocketIo({ token, room }, pane) {
  if (typeof window.io !== 'function') {
    pane.state('lost', 'socket.io-client is not part of this build');
    return;
  }
  // WebSocket from the start: one connection, and nothing to upgrade.
  const socket = window.io({ transports: ['websocket'], auth: { token } });

  socket.on('connect', () => {
    pane.state('waiting', 'joining');
    socket.emit('subscribe', { room }, (ack) => {
      if (ack.ok)
        pane.state('connected', `in ${room}`);
      else
        pane.state('lost', ack.message);
    });
  });
  socket.on('connect_error', (error) => pane.state('lost', error.message));
  socket.on('disconnect', (reason) => pane.state('lost', `${reason}, coming back`));
  socket.onAny((event, data) => pane.event({ event, data }));
}

// After these codes a client comes back by itself; after the others it would be refused again.
const PASSING = new Set([1001, 1006, 1011, 1012, 4429, 4503]);
const LONGEST_WAIT_MS = 5000;

export function startNative({ token, room }, pane) {
  let wait = 250;

  function open() {
    const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
    const ws = new WebSocket(address);
    const say = (message) => ws.send(JSON.stringify(message));
    const read = {
      connected: () => {
        pane.state('waiting', 'joining');
        say({ t: 'subscribe', room, n: 1 });
      },
      ack: ({ data }) => {
        wait = 250;
        if (data.ok)
          pane.state('connected', `in ${room}`);
        else
          pane.state('lost', data.message);
      },
      event: ({ event, data, id, at }) => pane.event({ event, data, id, at }),
      error: ({ code, message }) => pane.state('lost', `${code}: ${message}`),
    };

    ws.onopen = () => say({ t: 'connect', token });
    ws.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      read[message.t]?.(message);
    };
    ws.onclose = ({ code }) => {
      if (!PASSING.has(code)) {
        pane.state('lost', `closed (${code})`);
        return;
      }
      pane.state('lost', 'lost, coming back');
      setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  }
  open();
}
