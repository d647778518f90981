// The backend's side: one function for each event. It says what happened; who hears it follows
// from the payload (events in sidecast.yaml). Node 18 or later, no packages.
//
//   node publisher.mjs        tells of a short day in village 1
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const url = process.env.SIDECAST_URL ?? 'http://127.0.0.1:7411';
const tries = 3;

const api_key = () => process.env.SIDECAST_API_KEY
  ?? readFileSync(new URL('secrets/api.keys', import.meta.url), 'utf8').match(/sk_[\w-]+/)[0];

// Sent again with the same id it is still published once. Gives the server's answer.
async function emit(event, data) {
  const body = JSON.stringify({ event, data, id: randomUUID() });
  const headers = { authorization: `Bearer ${api_key()}`, 'content-type': 'application/json' };
  for (let left = tries; ; left--) {
    const answer = await fetch(`${url}/broadcast`, { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) })
      .catch((error) => ({ status: 599, json: async () => ({ detail: error.message }) }));
    const said = await answer.json();
    if (answer.status === 202)
      return said;
    if (answer.status < 500 || left === 1)
      throw Object.assign(new Error(`${event}: ${said.detail}`), said);
    await new Promise((resolve) => setTimeout(resolve, 200 + 400 * Math.random()));
  }
}

export const emitAgentUpdate = (agentId, { status, metrics = {} }) =>
  emit('agent_update', { agentId, status, metrics, ts: Date.now() });

export const emitWorkStream = (villageId, { repoId, message }) =>
  emit('work_stream', { villageId, repoId, message, ts: Date.now() });

export const emitBugBotSpawn = (repoId, { bugId, agentId, details }) =>
  emit('bug_bot_spawn', { bugId, repoId, agentId, details, ts: Date.now() });

export const emitBugBotResolved = (repoId, { bugId, resolution }) =>
  emit('bug_bot_resolved', { bugId, repoId, resolution, ts: Date.now() });

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const told = [
    await emitWorkStream(1, { repoId: 1, message: 'Ada opened the workshop' }),
    await emitAgentUpdate(1, { status: 'working', metrics: { tasks: 3, load: 0.4 } }),
    await emitBugBotSpawn(1, { bugId: 17, agentId: 1, details: 'the gate does not close' }),
    await emitBugBotResolved(1, { bugId: 17, resolution: 'a new hinge' }),
    await emitAgentUpdate(1, { status: 'idle', metrics: { tasks: 4, load: 0 } }),
  ];
  for (const { rooms, recipients } of told)
    console.log(`${rooms[0]}: ${recipients} listening`);
}
