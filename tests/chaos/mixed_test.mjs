// Thirty faults at random, and what was acknowledged is delivered once, in order, or the client was told.
import test from 'node:test';
import { chaos } from './lib/call.mjs';

test('30 faults at random lose, double and disorder nothing [websocket polling native]', (t) =>
  chaos(t, '--scenario', 'mixed', '--rounds', 30, '--seed', 1));
