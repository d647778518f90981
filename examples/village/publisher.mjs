// The backend's side: one function for each event. It says what happened; who hears it follows
// from the payload (events in sidecast.yaml). Node 18 or later, sidecast.mjs beside it.
//
//   node publisher.mjs        tells of a short day in village 1
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Client } from './sidecast.mjs';

const api_key = process.env.SIDECAST_API_KEY
  ?? readFileSync(new URL('secrets/api.keys', import.meta.url), 'utf8').match(/sk_[\w-]+/)[0];
const client = new Client({ key: api_key, timeout: 5000 });

// What may have been lost is sent again, and published once. Gives the server's answer.
const emit = (event, data) => client.broadcast(event, data);

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
