// Keeps the history of a run that failed, for `node tests/chaos/check.mjs`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../build/histories');

// Gives the file; what the processes said lies beside it.
export function keep(name, history, log = '') {
  const file = path.join(folder, `${name}.jsonl`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, history.lines());
  if (log)
    writeFileSync(path.join(folder, `${name}.log`), log);
  return file;
}

// Throws when the verdict is not clean, and says where the history lies.
export function insist(name, { history, verdict, log }) {
  if (verdict.faults.length === 0)
    return;
  const file = keep(name, history, log);
  throw new Error(`rule (${verdict.faults[0].rule}) ${verdict.faults[0].text}; the history: ${file}`);
}
