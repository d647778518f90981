// Calls the Node client: a line of JSON for each call, and one for what came of it.
import { createInterface } from 'node:readline';
import { Client, SidecastError } from '../../../clients/node/sidecast.mjs';

for await (const line of createInterface({ input: process.stdin })) {
  const { client: { timeout = 2, ...options }, ...call } = JSON.parse(line);
  let told;
  try {
    const client = new Client({ ...options, timeout: timeout * 1000 });
    told = call.do === 'token'
      ? { token: client.token(call.user, { rooms: call.rooms, ttl: 60 }) }
      : { answer: await client.broadcast(call.event, call.data, call.to) };
  } catch (error) {
    told = error instanceof SidecastError ? { status: error.status, code: error.code, detail: error.detail } : { wrong: error.message };
  }
  console.log(JSON.stringify(told));
}
