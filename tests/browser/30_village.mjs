// The village's page: in its rooms again after a drop, by itself where the session is recovered,
// by joining again where it is not.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { free_row } from '../flow/lib/ports.mjs';
import { until } from '../flow/lib/wait.mjs';
import { copy_system, root, serve_folder } from '../systems/lib/system.mjs';
import { laptop, launch, open } from './lib/page.mjs';

const seen_ms = 15_000;
const types = { '.html': 'text/html', '.js': 'text/javascript' };

// The root of the repository, as the README has it served. Gives its address.
async function serve_root(t) {
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const name = path.join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const text = await readFile(name).catch(() => null);
    response.writeHead(text ? 200 : 404, { 'content-type': types[path.extname(name)] ?? 'text/plain' }).end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return `http://127.0.0.1:${server.address().port}`;
}

const rows_of = (page) => page.$$eval('#feed li:not(.empty)', (rows) =>
  rows.map((row) => `${row.querySelector('b').textContent}: ${row.querySelector('span').textContent}`).reverse());
const shows = (page, rows) => until(async () => (await rows_of(page)).length >= rows.length, seen_ms)
  .finally(async () => assert.deepEqual(await rows_of(page), rows));
const is_on = (page) => page.waitForSelector('#state.on', { timeout: seen_ms });

async function tell(sidecast, message) {
  const { status, text } = await sidecast.publish({ event: 'work_stream', data: { villageId: 1, message, ts: Date.now() } });
  assert.equal(status, 202, text);
}

test('the village\'s page is in its rooms again, also when the server has forgotten it', async (t) => {
  const folder = copy_system('village');
  const pages = await serve_root(t), port = await free_row(3), browser = await launch();
  const start = () => serve_folder(folder, { set: [`allowed_origins=${pages}`], args: ['--port', String(port)] });
  t.after(() => rmSync(folder, { recursive: true }));
  t.after(() => browser.close());
  let sidecast = await start();
  t.after(() => sidecast.forget());
  t.after(() => sidecast.kill());

  const token = sidecast.mint({ id: 7, roles: ['elder'], perms: [] });
  const page = await open(browser, `${pages}/examples/village/?gateway=${sidecast.gateway}#${token}`, laptop);
  await is_on(page);
  await page.click('.village form button');
  await page.waitForSelector('.village .rooms button', { timeout: seen_ms });
  await tell(sidecast, 'one');
  await shows(page, ['village 1: one']);
  assert.deepEqual(page.complaints, []);

  const left = page.waitForSelector('#state:not(.on)', { timeout: seen_ms });
  process.kill(sidecast.pids.gateways[0], 'SIGKILL');
  await left;
  await tell(sidecast, 'two');
  await is_on(page);
  await tell(sidecast, 'three');
  await shows(page, ['village 1: one', 'village 1: two', 'village 1: three']);

  await sidecast.stop();
  sidecast.forget(); // its log, too
  sidecast = await start();
  await is_on(page);
  await page.waitForSelector('#feed .agent', { timeout: seen_ms });
  await tell(sidecast, 'four');
  await shows(page, ['village 1: one', 'village 1: two', 'village 1: three',
    'joined again: what happened meanwhile is not shown here', 'village 1: four']);
  await sidecast.stop();
});
