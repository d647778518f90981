// The backend's side: one call, with nothing but fetch. It names users; on which devices they
// are, and whether at all, it need not know. Node 18 or later, no packages.
//
//   node publisher.mjs 123 456      notifies these users
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const url = process.env.SIDECAST_URL ?? 'http://127.0.0.1:3001';
const tries = 3;
const passing = [408, 409, 429, 500, 502, 503, 504]; // 409: the first try is still on its way

const api_key = () => process.env.SIDECAST_API_KEY
  ?? readFileSync(new URL('secrets/api.keys', import.meta.url), 'utf8').match(/sk_[\w-]+/)[0];

// Gives {delivered, users: {online, offline}}. What is sent again has the same key, so that
// nobody is notified twice.
export async function notify(userIds, notification) {
  const request = {
    method: 'POST',
    redirect: 'manual', // a key is for the server that was named
    headers: {
      authorization: `Bearer ${api_key()}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({ userIds, notification }),
  };
  for (let left = tries; ; left--) {
    const answer = await fetch(`${url}/broadcast`, { ...request, signal: AbortSignal.timeout(5000) })
      .catch((error) => ({ status: 0, json: async () => ({ message: error.message }) }));
    const said = await answer.json().catch(() => null); // a proxy's page
    if (answer.status === 200 && said?.users)
      return said;
    if (left === 1 || (answer.status >= 300 && !passing.includes(answer.status)))
      throw Object.assign(new Error(said?.message ?? `HTTP ${answer.status}`), { status: answer.status, code: said?.error });
    const seconds = Math.min(Number(answer.headers?.get('retry-after')) || 0.2, 5);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 400 * Math.random()));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const users = process.argv.slice(2);
  const { delivered, users: { online, offline } } = await notify(users.length > 0 ? users : ['123'], {
    title: { he: 'הזמנה חדשה', en: 'A new order' },
    body: { he: 'הזמנה מספר 1042 מחכה לאישור', en: 'Order no. 1042 waits for your approval' },
    metadata: { url: '/orders/1042', icon: '⚑', priority: 'high' },
  });
  console.log(`${delivered} devices, ${online} users online, ${offline} offline`);
}
