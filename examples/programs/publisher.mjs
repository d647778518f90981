// The backend's side: emitToProgram(programId, event, payload) after a change was saved. It gives
// control back at once and never throws: what went wrong is logged, and the change stands.
// Node 18 or later, sidecast.mjs beside it.
//
//   node publisher.mjs        tells of a short day in program 7
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Client } from './sidecast.mjs';

const api_key = process.env.SIDECAST_API_KEY
  ?? readFileSync(new URL('secrets/api.keys', import.meta.url), 'utf8').match(/sk_[\w-]+/)[0];
const client = new Client({ key: api_key, timeout: 5000 });

// `last` keeps the order of what one process says.
let last = Promise.resolve();

export function emitToProgram(programId, event, { requestId, data, performedBy }) {
  const sent = last.then(() => client.broadcast(event, { programId, requestId, data, performedBy }));
  last = sent.then(
    ({ recipients }) => console.log(`${event} to program ${programId}: ${recipients} listening`),
    (error) => console.error(`${event} to program ${programId}: ${error.message}`),
  );
}

// For the end of a process: all that was said is out, or given up.
export const settled = () => last;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const ada = { userId: 'u1', name: 'Ada' }, lin = { userId: 'u2', name: 'Lin' };
  const tell = (event, performedBy, data) => emitToProgram(7, event, { requestId: 1042, data, performedBy });
  tell('request:created', ada, { title: 'A lift for the library' });
  tell('attachment:uploaded', ada, { attachmentId: 5, name: 'plan.pdf', bytes: 182044 });
  tell('request:assigned', lin, { assigneeId: 'u2' });
  tell('comment:added', lin, { commentId: 9, text: 'I have seen the plan, and like it.' });
  tell('request:status_changed', lin, { from: 'open', to: 'approved' });
  await settled();
}
