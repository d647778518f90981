// Publishers that write down what they did and heard. What has no outcome is sent again under its
// id, or now and then given up: then nobody knows whether it was published.
import { sleep, until } from '../../flow/lib/wait.mjs';

const patience_ms = 60_000;

// So that a receiver knows whether it got the bytes that were published (FNV-1a).
export function sum_of(id, text) {
  let sum = 0x811c9dc5;
  for (const char of `${id} ${text}`)
    sum = Math.imul(sum ^ char.codePointAt(0), 0x01000193) >>> 0;
  return sum;
}

export function body_of(room, id, text = '') {
  return JSON.stringify({ event: 'e', room, id, data: { id, text, sum: sum_of(id, text) } });
}

// Nothing is known of 5xx and of what is in flight; the rest is an outcome.
const is_outcome = (answer) => answer && answer.status < 500 && answer.status !== 409;

// One event, until it has an outcome. Gives the answer.
export async function publish_surely(house, history, room, id, { text, gives_up = () => false } = {}) {
  const body = body_of(room, id, text);
  let tries = 0, answer = null;
  history.add('publisher', 'publish', { phase: 'invoke', room, id });
  await until(async () => {
    if (tries++)
      await sleep(30 + Math.min(tries * 20, 200));
    answer = await house.publish(body).catch(() => null);
    return is_outcome(answer) || gives_up(tries);
  }, patience_ms, () => `no outcome of ${id} after ${tries} tries: ${answer?.status} ${answer?.text}`);
  const phase = !is_outcome(answer) ? 'unknown' : answer.status === 202 ? 'ok' : 'fail';
  history.add('publisher', 'publish', {
    phase, room, id, tries, ...(phase === 'ok' && { position: answer.json.position }), status: answer?.status,
  });
  return answer;
}

// Lanes that publish one event after the other until `is_over()`. Gives the number begun.
export async function publish_lanes(house, history, random, { lanes, pause_ms, rooms, is_over }) {
  let n = 0;
  const lane = async () => {
    while (!is_over()) {
      const id = `p${n++}`;
      const fate = random(100);
      await publish_surely(house, history, `r:${random(rooms)}`, id, {
        text: 'x'.repeat(random(400)), gives_up: (tries) => fate < 5 && tries > 0,
      });
      await sleep(random(2 * pause_ms));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return n;
}
