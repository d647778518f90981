// A few rounds of each other scenario; `./dev chaos` runs more, and compares their figures.
import test from 'node:test';
import { chaos } from './lib/call.mjs';

const scenarios = [
  ['a publisher that dies in commits and between them loses and doubles nothing', 'publisher', 4],
  ['a gateway is killed, and its clients come to the other [websocket polling]', 'gateway', 1],
  ['everything is stopped and started again [websocket polling native]', 'restart', 1],
  ['who comes back recovered has missed nothing, and leaves no ghost [websocket polling native]', 'away', 3],
  ['every child is started anew under load, and no publish fails twice [websocket polling native]', 'rolling', 1],
  ['a gateway is stopped, and its clients come evenly to the next one [websocket polling native]', 'drain', 1],
  ['a log that was changed is sent to nobody [websocket polling native]', 'damage', 2],
];

for (const [title, name, rounds] of scenarios)
  test(title, (t) => chaos(t, '--scenario', name, '--rounds', rounds));
