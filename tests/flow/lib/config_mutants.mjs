// Configurations spoiled on purpose: a good one, and what was done to its lines. Seeded, so
// that a failure can be had again.

// text, the key on the line (its typos are found), and what its value is.
const lines = [
  ['allowed_origins: [https://app.example.com]', 'allowed_origins', 'texts'],
  ['trusted_proxies: [10.0.0.0/8]', 'trusted_proxies', 'texts'],
  ['cors:', 'cors', 'map'],
  ['  credentials: on', 'credentials', 'switch'],
  ['  max_age: 5m', 'max_age', 'duration'],
  ['gateway:', 'gateway', 'map'],
  ['  listen: 127.0.0.1:7410', 'listen', 'address'],
  ['  count: 2', 'count', 'int'],
  ['  ping_interval: 25s', 'ping_interval', 'duration'],
  ['  ping_timeout: 20s', 'ping_timeout', 'duration'],
  ['  connect_timeout: 45s', 'connect_timeout', 'duration'],
  ['  max_message_size: 100KiB', 'max_message_size', 'size'],
  ['mounts:', 'mounts', 'list'],
  ['  - path: /socket.io/', 'path', 'text'],
  ['    dialect: socketio', 'dialect', 'word'],
  ['    ping_timeout: 10s', 'ping_timeout', 'duration'],
  ['namespaces:', 'namespaces', 'map'],
  ['  /chat:', null, 'map'],
  ['    commands: [join_project]', 'commands', 'texts'],
  ['publisher:', 'publisher', 'map'],
  ['  max_body_size: 64KiB', 'max_body_size', 'size'],
  ['  idempotency: 1m', 'idempotency', 'duration'],
  ['auth:', 'auth', 'map'],
  ['  mode: handshake', 'mode', 'word'],
  ['  jwt:', 'jwt', 'map'],
  ['    algorithms: [HS256]', 'algorithms', 'words'],
  ['    hmac_secret: 0123456789abcdefghijklmnopqrstuvwxyz0123', 'hmac_secret', 'text'],
  ['    leeway: 10s', 'leeway', 'duration'],
  ['    max_ttl: 24h', 'max_ttl', 'duration'],
  ['  refusal:', 'refusal', 'map'],
  ['    missing: Authentication required', 'missing', 'text'],
  ['    expired: Token expired', 'expired', 'text'],
  ['  expiry:', 'expiry', 'map'],
  ['    warn: 30s', 'warn', 'duration'],
  ['    then: close', 'then', 'word'],
  ['connect:', 'connect', 'map'],
  ['  auto_join: ["user:{claims.sub}"]', 'auto_join', 'list'],
  ['rooms:', 'rooms', 'list'],
  ['  - match: "project:*"', 'match', 'text'],
  ['    allow: token', 'allow', 'word'],
  ['    max_members: 50', 'max_members', 'int'],
  ['commands:', 'commands', 'map'],
  ['  join_project:', null, 'map'],
  ['    do: join', 'do', 'word'],
  ['    room: "project:{args.0.id}"', 'room', 'text'],
  ['    limit: joins', 'limit', 'text'],
  ['client_events: refuse', 'client_events', 'word'],
  ['error_event: failure', 'error_event', 'text'],
  ['limits:', 'limits', 'map'],
  ['  connections: 1000', 'connections', 'int'],
  ['  outbox: 1MiB', 'outbox', 'size'],
  ['  rates:', 'rates', 'map'],
  ['    joins:', null, 'map'],
  ['      rate: 10/5s', 'rate', 'rate'],
  ['      per: socket', 'per', 'word'],
  ['heartbeats:', 'heartbeats', 'list'],
  ['  - emit: server_ping', 'emit', 'text'],
  ['    every: 10s', 'every', 'duration'],
  ['log:', 'log', 'map'],
  ['  keep:', 'keep', 'map'],
  ['    age: 1m', 'age', 'duration'],
  ['    events: 1000', 'events', 'int'],
  ['logs:', 'logs', 'map'],
  ['  level: info', 'level', 'word'],
];

export const whole = () => `${lines.map(([text]) => text).join('\n')}\n`;

// mulberry32: a number below `n`.
export function generator(seed) {
  return (n) => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const letters = 'abcdefghijklmnopqrstuvwxyz';

// One edit: a letter lost, one too many, another one, or two swapped.
function misspell(next, word) {
  const at = next(word.length), letter = letters[next(26)];
  const wrong = [
    () => word.slice(0, at) + word.slice(at + 1),
    () => word.slice(0, at) + letter + word.slice(at),
    () => word.slice(0, at) + letter + word.slice(at + 1),
    () => word.slice(0, at) + (word[at + 1] ?? '') + word[at] + word.slice(at + 2),
  ][next(4)]();
  return lines.some(([, key]) => key === wrong) || wrong === '' ? misspell(next, word) : wrong;
}

const value_at = (text) => text.indexOf(': ') + 3;
const key_at = (text) => text.search(/[a-z]/) + 1;
const with_value = (text, value) => text.slice(0, value_at(text) - 1) + value;

// Each gives the lines in place of one, and where the fault is: [line offset, column].
const spoilers = {
  typo: {
    fits: ([, key]) => key !== null,
    spoil: (next, [text, key]) => ({ lines: [text.replace(key, misspell(next, key))], at: [0, key_at(text)], word: key }),
  },
  'no unit': {
    fits: ([, , type]) => type === 'duration' || type === 'size',
    spoil: (next, [text]) => ({ lines: [with_value(text, String(1 + next(99)))], at: [0, value_at(text)] }),
  },
  'wrong unit': {
    fits: ([, , type]) => type === 'duration' || type === 'size',
    spoil: (next, [text, , type]) => ({ lines: [with_value(text, type === 'size' ? '5s' : '5KiB')], at: [0, value_at(text)] }),
  },
  'a list for a value': {
    fits: ([, , type]) => ['duration', 'size', 'int', 'switch', 'word', 'rate', 'address'].includes(type),
    spoil: (next, [text]) => ({ lines: [with_value(text, '[a, b]')], at: [0, value_at(text)] }),
  },
  'a map for texts': {
    fits: ([, , type]) => type === 'texts' || type === 'words',
    spoil: (next, [text]) => ({ lines: [with_value(text, '{a: b}')], at: [0, value_at(text)] }),
  },
  'no such word': {
    fits: ([, , type]) => type === 'word' || type === 'switch' || type === 'int',
    spoil: (next, [text]) => ({ lines: [with_value(text, 'perhaps')], at: [0, value_at(text)] }),
  },
  twice: {
    fits: ([text, key, type]) => key !== null && type !== 'map' && type !== 'list' && !text.includes('- '),
    spoil: (next, [text]) => ({ lines: [text, text], at: [1, key_at(text)] }),
  },
  'wrong nesting': {
    fits: ([text]) => !text.startsWith(' '),
    spoil: (next, [text]) => ({ lines: ['ping_interval: 5s', text], at: [0, 1] }),
  },
};

// A spoiled text with `count` faults on lines of their own: {text, faults: [{line, column, kind, word}]}.
export function mutate(next, count) {
  const kinds = Object.keys(spoilers), spoiled = new Map();
  while (spoiled.size < count) {
    // A third are typos; the wrong nesting only once, for twice the same key is another fault.
    const kind = next(3) === 0 ? 'typo' : kinds[next(kinds.length)];
    const at = next(lines.length);
    const is_second = kind === 'wrong nesting' && [...spoiled.values()].some((one) => one.kind === kind);
    if (spoilers[kind].fits(lines[at]) && !is_below(at, spoiled) && !is_second)
      spoiled.set(at, { kind, ...spoilers[kind].spoil(next, lines[at]) });
  }
  const text = [], faults = [];
  for (const [i, line] of lines.entries()) {
    const one = spoiled.get(i);
    if (one)
      faults.push({ line: text.length + 1 + one.at[0], column: one.at[1], kind: one.kind, word: one.word });
    text.push(...(one?.lines ?? [line[0]]));
  }
  return { text: `${text.join('\n')}\n`, faults };
}

// What hangs below a misspelt key is not looked into, so nothing else is spoiled there.
function is_below(at, spoiled) {
  const depth = (i) => lines[i][0].search(/\S/);
  const covers = (above, below) => {
    for (let i = above + 1; i <= below; i++)
      if (depth(i) <= depth(above))
        return false;
    return true;
  };
  return [...spoiled.keys()].some((other) => other === at || (other < at ? covers(other, at) : covers(at, other)));
}
