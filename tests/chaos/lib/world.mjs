// A world of its own for a run: namespaces for the network, mounts and processes, where they may be
// had (as root, or as a user whom the system lets make some). Its ports clash with nobody's, a disk
// may be full, and nothing is left when it ends. Elsewhere the run stands in the common world, and
// says so.
import { spawn, spawnSync } from 'node:child_process';

const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
const attempts = [own, ['--user', '--map-root-user', ...own]];
const variable = 'CHAOS_WORLD';
const probe = 'ip link set lo up && mount -t tmpfs -o size=1m none /mnt';

function own_world() {
  return attempts.find((words) => spawnSync('unshare', [...words, 'sh', '-c', probe]).status === 0);
}

// Gives {is_own}; in a process that is in no world yet, runs the same script once more inside and
// ends with its exit code.
export async function enter() {
  const inherited = process.env[variable];
  delete process.env[variable];
  if (inherited)
    return { is_own: inherited === 'own' };
  const words = own_world();
  if (!words) {
    console.log('no namespaces here: ports of this machine are used, no disk is filled, no connection is cut in the kernel');
    return { is_own: false };
  }
  const child = spawn('unshare', [...words, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [variable]: 'own' } });
  for (const name of ['SIGINT', 'SIGTERM'])
    process.on(name, () => child.kill('SIGKILL')); // and all that is in its world with it
  const code = await new Promise((resolve) => child.on('exit', resolve));
  process.exit(code ?? 1);
}
