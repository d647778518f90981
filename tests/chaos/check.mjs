// node tests/chaos/check.mjs FILE.jsonl…: exit 1 with the first broken rule and its lines.
import { readFileSync } from 'node:fs';
import { check, describe } from './lib/check.mjs';

let is_well = true;
for (const file of process.argv.slice(2)) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const verdict = check(lines.map((line) => JSON.parse(line)));
  console.log(`${file}: ${describe(verdict)}`);
  if (verdict.faults.length === 0)
    continue;
  is_well = false;
  const id = verdict.faults[0].text.match(/(\S+) (was|came|did)/)[1];
  const who = verdict.faults[0].who;
  for (const [i, line] of lines.entries()) {
    const record = JSON.parse(line);
    if (record.id === id && (record.op === 'publish' || record.who === who))
      console.log(`  line ${i + 1}: ${line}`);
  }
}
process.exit(is_well ? 0 : 1);
