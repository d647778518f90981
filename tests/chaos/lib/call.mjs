// Runs `run.mjs` as `./dev chaos` does, for a test: in a world of its own, with the program under test.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../run.mjs', import.meta.url));

// Gives all that it said; throws where it failed.
export async function chaos(t, ...words) {
  const child = spawn(process.execPath, [script, ...words.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGTERM')); // ends its world; nothing where it has ended
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => { text += data; });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0)
    throw new Error(`exit ${code}\n${text}`);
  for (const line of text.split('\n').filter((one) => /deliveries|^caught|^PASS .| not here|no namespaces/.test(one)))
    t.diagnostic(line.trim());
  return text;
}
