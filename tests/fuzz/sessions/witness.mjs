// An honest client beside the strangers: it asks and is answered, in order, all the time.
import { connect } from '../../flow/lib/clients.mjs';
import { sleep } from '../../flow/lib/wait.mjs';

// Asks until `is_over()`. Gives how often it was answered, and the slowest answer.
export async function witness(sidecast, transports, due_ms, is_over) {
  const socket = await connect(sidecast, { transports });
  let answers = 0;
  let slowest = 0;
  let lost = null;
  socket.on('disconnect', (reason) => { lost = reason; });
  while (!is_over() && !lost) {
    const began = performance.now();
    const back = await socket.timeout(due_ms).emitWithAck('message-with-ack', answers, `é${answers}`).catch((error) => error);
    if (!Array.isArray(back) && back !== answers)
      throw new Error(`${transports}: ${back?.message ?? JSON.stringify(back)} after ${answers} answers; lost: ${lost}`);
    slowest = Math.max(slowest, performance.now() - began);
    socket.emit('message', answers);
    answers++;
    await sleep(5);
  }
  if (lost)
    throw new Error(`${transports}: an honest client was cut off: ${lost}`);
  await sleep(50);
  const order = socket.received.filter(([name]) => name === 'message-back').map(([, number]) => number);
  order.forEach((number, at) => {
    if (number !== at)
      throw new Error(`${transports}: answer ${at} is ${number}`);
  });
  socket.close();
  return { answers, slowest };
}
