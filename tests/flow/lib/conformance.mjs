// The conformance system in three variants, as examples/conformance makes it or, where
// SIDECAST_WIRE_TARGET names their addresses, as another server does.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { wire_target } from './settings.mjs';
import { start, with_sidecast } from './sidecast.mjs';

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../examples/conformance/sidecast.yaml');

export const page = 'https://app.example.com';

// `quick` is the file itself; `patient` waits longer for a pong than a loaded machine is late.
// The tables do not want pings between their answers.
export const variants = {
  quick: { ping_interval: 300, ping_timeout: 200, connect_timeout: 1000 },
  patient: { ping_interval: 300, ping_timeout: 5000, connect_timeout: 1000 },
  calm: { ping_interval: 25_000, ping_timeout: 20_000, connect_timeout: 45_000 },
  open: { ping_interval: 25_000, ping_timeout: 20_000, connect_timeout: 45_000, upgrade_timeout: 700, origins: [page] },
};

export const is_reference = Boolean(wire_target);

function settings({ origins, ...times }) {
  const set = Object.entries(times).map(([key, ms]) => `gateway.${key}=${ms}ms`);
  return origins ? [...set, `allowed_origins=${origins}`, 'cors.credentials=on'] : set;
}

// A test's body with the conformance system: test('…', with_conformance('calm', body)).
export function with_conformance(variant, body, { set = [], args = [], ...options } = {}) {
  if (is_reference)
    return (t) => body({ gateway: JSON.parse(wire_target)[variant], log: '' }, t);
  return with_sidecast({
    args: ['--config', file, ...args], set: [...(variant === 'quick' ? [] : settings(variants[variant])), ...set], ...options,
  }, body);
}
