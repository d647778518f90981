// A few seconds of `./dev fuzz sessions`: strangers at random, honest clients beside them.
import test from 'node:test';
import { fuzz_sessions, options } from '../fuzz/sessions/sessions.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound } from './lib/wait.mjs';

test('strangers who do anything disturb no honest client, and leave nothing behind',
  with_sidecast(options, async (sidecast, t) => {
    const { tally, witnesses } = await fuzz_sessions(sidecast, {
      seed: 1, ms: 2500, due_ms: bound(1000), honest: [['polling'], ['websocket'], ['polling', 'websocket']],
    });
    t.diagnostic(`${JSON.stringify(tally)} ${JSON.stringify(witnesses)}`);
  }));
