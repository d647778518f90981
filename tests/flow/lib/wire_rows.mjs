// Runs the rows of a wire table side by side, and tells all that fail at once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { is_reference } from './conformance.mjs';
import { play } from './engine_io.mjs';

const lanes = 24;
const protocol = readFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../docs/protocol.md'), 'utf8');

// A row is [name, steps, state, difference?]. A difference has the words of docs/protocol.md
// that declare it (`differs`), and what holds of the reference instead (`there`).
function for_target(row) {
  const difference = row[3];
  if (difference)
    assert.ok(protocol.includes(difference.differs), `docs/protocol.md does not say: ${difference.differs}`);
  return difference && is_reference ? [row[0], ...difference.there] : row;
}

async function run_one(run, gateway, row, options, attempts) {
  try {
    await run(gateway, row, options);
  } catch (error) {
    if (attempts <= 1)
      throw error;
    await run_one(run, gateway, row, options, attempts - 1);
  }
}

// Options: `attempts` that a row has, `play` in place of the one of engine_io, what that takes.
export async function run_rows(gateway, rows, options = {}) {
  const names = new Set(rows.map(([name]) => name)), failures = [];
  const run = options.play ?? play;
  let next = 0;

  assert.equal(names.size, rows.length, 'two rows have one name');
  const lane = async () => {
    while (next < rows.length) {
      const row = rows[next++];
      try {
        await run_one(run, gateway, for_target(row), options, options.attempts ?? 1);
      } catch (error) {
        failures.push(`${row[0]}\n    ${error.message.trim().replaceAll('\n', '\n    ')}`);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  assert.equal(failures.length, 0, `${failures.length} of ${rows.length} rows:\n${failures.join('\n')}`);
}
