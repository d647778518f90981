// Publishing to Sidecast, for Node 18 and later; nothing else is needed.
//
//   const client = new Client({ url: 'http://127.0.0.1:7411', key: 'sk_...' });
//   const { recipients } = await client.broadcast('task.moved', { task: 12 }, { room: 'project:7' });
//
// Whatever a call has to send twice carries one Idempotency-Key, so it is published once.
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const agent = 'sidecast-node/0.1.0';
const pause_max_ms = 5000;
const passing = new Set([408, 409, 429, 500, 502, 503, 504]); // 409: the first try is still on its way

// A publish that was refused, or whose answer never came (status 0).
export class SidecastError extends Error {
  constructor(status, { code = `HTTP ${status}`, detail = '', ...problem }) {
    super(`${code}: ${detail}`);
    this.name = 'SidecastError';
    Object.assign(this, { status, code, detail, problem }); // problem.errors have pointers
  }
}

export class Client {
  #post;
  #secret;
  #silent;
  #tries;

  // `url` and `key` default to SIDECAST_URL and SIDECAST_API_KEY, `secret` (only for tokens)
  // to SIDECAST_AUTH_JWT_HMAC_SECRET; blanks and line ends around them do not count. `timeout`
  // is of each of the `tries`, in milliseconds.
  constructor({
    url = process.env.SIDECAST_URL || 'http://127.0.0.1:7411',
    key = process.env.SIDECAST_API_KEY || '',
    secret = null,
    timeout = 2000,
    tries = 3,
    fail_silently = false,
  } = {}) {
    const target = `${String(url).trim().replace(/\/+$/, '')}/broadcast`, bearer = String(key).trim();
    if (!/^https?:$/.test(new URL(target).protocol))
      throw new TypeError('the url of a Sidecast publisher begins with http:// or https://');
    if (!/^[\x21-\x7e]*$/.test(bearer))
      throw new TypeError('the key of a Sidecast publisher is one word of ASCII');
    this.#secret = (typeof secret === 'string' ? secret.trim() : secret) || process.env.SIDECAST_AUTH_JWT_HMAC_SECRET;
    this.#tries = tries;
    this.#silent = fail_silently;
    this.#post = (body, id) => fetch(target, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'idempotency-key': id,
        'user-agent': agent,
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      },
      redirect: 'manual', // a key is for the server that was named
      signal: AbortSignal.timeout(timeout),
    });
  }

  // Gives the answer: id, recipients, position and more. `more` is one of room, rooms, user,
  // users, sockets and all, unless the catalog of the server knows where the event goes; and
  // args, except, ttl, volatile, id, ... Without `data` the event has none.
  async broadcast(event, data, more = {}) {
    const id = more.id ?? randomUUID();
    const body = JSON.stringify({ event, ...('args' in more ? {} : { data }), ...more, id });
    try {
      return await this.#send(body, id);
    } catch (error) {
      if (this.#silent && error instanceof SidecastError)
        return null;
      throw error;
    }
  }

  // Gives a token with which a client of this user connects, for `ttl` seconds.
  token(user, { rooms = [], ttl = 3600, ...claims } = {}) {
    if (!this.#secret)
      throw new TypeError('a token needs the secret that the server checks tokens with');
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + Math.floor(ttl);
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, sub: String(user), rooms, exp })}`;
    return `${signed}.${createHmac('sha256', this.#secret).update(signed).digest('base64url')}`;
  }

  async #send(body, id) {
    for (let tried = 1; ; tried++) {
      const { status, pause, answer } = await this.#try(body, id);
      if (status >= 200 && status < 300)
        return answer;
      if (tried >= this.#tries || (status && !passing.has(status)))
        throw new SidecastError(status, answer);
      await sleep(pause_ms(pause, tried));
    }
  }

  async #try(body, id) {
    try {
      const response = await this.#post(body, id);
      const text = await response.text();
      const pause = response.headers.get('retry-after'), start = text.slice(0, 200);
      const answer = read(text);
      if (response.ok && !answer?.id) // somebody else's
        return { status: 0, pause, answer: unreachable(`an answer that is not Sidecast's: ${start}`) };
      return { status: response.status, pause, answer: answer ?? { detail: start } };
    } catch (error) { // no connection, a lost one, or no answer in time
      return { status: 0, pause: null, answer: unreachable(error.cause?.message || error.cause?.code || error.message) };
    }
  }
}

const unreachable = (detail) => ({ code: 'E_UNREACHABLE', detail });

// null: a proxy's page, perhaps.
function read(text) {
  try {
    const answer = JSON.parse(text);
    return typeof answer === 'object' ? answer : null;
  } catch {
    return null;
  }
}

// What the server asks for, or a little more each time; never all callers at once.
function pause_ms(retry_after, tried) {
  const asked = /^\d+$/.test(retry_after ?? '') ? Number(retry_after) * 1000 : 100 * 2 ** tried;
  return Math.min(asked, pause_max_ms) * (1 + Math.random() / 4);
}
