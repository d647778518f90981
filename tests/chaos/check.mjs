// node tests/chaos/check.mjs FILE.jsonl…: exit 1 with the first broken rule and its lines.
import { readFileSync } from 'node:fs';
import { check, describe, lines_of } from './lib/check.mjs';

const most_lines = 40;

let is_well = true;
for (const file of process.argv.slice(2)) {
  const records = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const verdict = check(records);
  console.log(`${file}: ${describe(verdict)}`);
  if (verdict.faults.length === 0)
    continue;
  is_well = false;
  for (const [line, record] of lines_of(records, verdict.faults[0]).slice(-most_lines))
    console.log(`  line ${line}: ${JSON.stringify(record)}`);
}
process.exit(is_well ? 0 : 1);
