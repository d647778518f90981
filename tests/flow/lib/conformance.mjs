// The conformance system in variants, as examples/conformance makes it or, where
// SIDECAST_WIRE_TARGET names their addresses, as another server does.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { wire_target } from './settings.mjs';
import { start, with_sidecast } from './sidecast.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const file = path.join(here, '../../../examples/conformance/sidecast.yaml');
const file_of_returns = path.join(here, 'wire_recovery.yaml');

export const page = 'https://app.example.com';

// `quick` is the file itself; `patient` waits longer for a pong than a loaded machine is late.
// The tables do not want pings between their answers. To those with a `window` clients come back.
export const variants = {
  quick: { ping_interval: 300, ping_timeout: 200, connect_timeout: 1000 },
  patient: { ping_interval: 300, ping_timeout: 5000, connect_timeout: 1000 },
  calm: { ping_interval: 25_000, ping_timeout: 20_000, connect_timeout: 45_000 },
  open: { ping_interval: 25_000, ping_timeout: 20_000, connect_timeout: 45_000, upgrade_timeout: 700, origins: [page] },
  returning: { ping_interval: 25_000, ping_timeout: 20_000, connect_timeout: 45_000, window: 120_000 },
  brief: { ping_interval: 300, ping_timeout: 2500, connect_timeout: 45_000, window: 2500 },
};

export const is_reference = Boolean(wire_target);

function settings({ origins, window, ...times }) {
  const set = Object.entries(times).map(([key, ms]) => `gateway.${key}=${ms}ms`);
  if (window)
    set.push(`recovery.window=${window}ms`);
  return origins ? [...set, `allowed_origins=${origins}`, 'cors.credentials=on'] : set;
}

// A test's body with the conformance system: test('…', with_conformance('calm', body)).
export function with_conformance(variant, body, { set = [], args = [], ...options } = {}) {
  if (is_reference)
    return (t) => body({ gateway: JSON.parse(wire_target)[variant], log: '' }, t);
  return with_sidecast({
    args: ['--config', variants[variant].window ? file_of_returns : file, ...args], set: [...(variant === 'quick' ? [] : settings(variants[variant])), ...set], ...options,
  }, body);
}
