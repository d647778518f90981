// The demo's page: one POST, seen by both clients of a real browser, with its way.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { program, with_sidecast } from '../flow/lib/sidecast.mjs';
import { sleep, until } from '../flow/lib/wait.mjs';
import { events_of, laptop, launch, open_demo, phone } from './lib/page.mjs';

const run = promisify(execFile);
const shell = (line) => run('sh', ['-c', line], { timeout: 20_000 });
const seen_ms = 15_000;
let browser;

before(async () => { browser = await launch(); });
after(() => browser.close());

async function both_show(page, text) {
  for (const pane of ['sio', 'native']) {
    await until(async () => (await events_of(page, pane)).some(({ data }) => data === text), seen_ms,
      () => `the pane ${pane} does not show "${text}"`);
    await until(async () => (await events_of(page, pane))[0].late.endsWith(' ms'), seen_ms);
  }
  await sleep(200); // a second copy would be here by now
  for (const pane of ['sio', 'native']) {
    const shown = (await events_of(page, pane)).filter(({ data }) => data === text);
    assert.deepEqual(shown.map(({ event }) => event), ['hello'], pane);
  }
}

async function the_way_is_shown(page) {
  const times = () => page.$$eval('[data-hop] .time', (all) => all.map((time) => time.dataset.us));
  await until(async () => (await times()).every(Boolean), seen_ms);
  const hops = (await times()).map(Number);

  assert.equal(hops.length, 4);
  hops.forEach((us, i) => assert.ok(us >= (hops[i - 1] ?? 0), `rising: ${hops}`));
  assert.ok(hops[3] > hops[0], `rising: ${hops}`);
  await page.waitForSelector('[data-hop="written"].lit', { timeout: seen_ms });
}

async function nothing_to_complain(page) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.equal(width[0], width[1], 'no sideways scrolling');
  assert.deepEqual(page.complaints, []);
}

for (const device of [laptop, phone])
  test(`the page's curl line and its button reach both panes [${device.name}]`,
    with_sidecast({ role: 'demo' }, async (sidecast) => {
      const page = await open_demo(browser, sidecast.ready.page, device);
      const { stdout } = await shell(await page.textContent('#snippet'));
      const { id } = JSON.parse(stdout);

      await both_show(page, 'Hello from curl');
      await the_way_is_shown(page);
      const trace = (await sidecast.request(`${sidecast.gateway}/demo/trace/${id}`)).json;
      assert.deepEqual([trace.id, ...trace.hops.map(({ name }) => name)],
        [id, 'publisher', 'bus', 'gateway', 'written']);

      await page.fill('#text', `<b>from the ${device.name}</b> & more`);
      await page.click('#send button');
      await both_show(page, `<b>from the ${device.name}</b> & more`);
      assert.match(await page.textContent('#answer'), /^202 accepted, 2 recipients, id /);
      await nothing_to_complain(page);
      await page.context().close();
    }));

test('the line that the demo prints works as pasted', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-test-'));
  const demo = spawn(program, ['demo', '--port', '0'], {
    env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => { demo.on('exit', resolve); });
  let text = '';
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  t.after(() => demo.kill('SIGKILL'));

  demo.stdout.on('data', (data) => { text += data; });
  const line = await until(() => /^curl .*\n/m.exec(text)?.[0], 20_000);
  assert.ok(text.split('\n').length - 1 <= 10, text);
  assert.doesNotMatch(text, /\x1b/, 'no colours where nobody sees them');

  const page = await open_demo(browser, /http:\S+\/demo\b/.exec(text)[0], laptop);
  await shell(line);
  await both_show(page, 'Hello from curl');
  await nothing_to_complain(page);
  await page.context().close();
  demo.kill('SIGTERM');
  assert.equal(await ended, 0);
});

const runners = {
  Python: ['python3', '--version', (file) => ['python3', file]],
  PHP: ['php', '--version', (file) => ['php', file]],
  Node: ['node', '--version', (file) => ['node', file]],
  Go: ['go', 'version', (file) => ['go', 'run', file]],
  Ruby: ['ruby', '--version', (file) => ['ruby', file]],
};

test('each language\'s call works as pasted', with_sidecast({ role: 'demo' }, async (sidecast, t) => {
  const page = await open_demo(browser, sidecast.ready.page, laptop);

  for (const [language, [tool, ask, command]] of Object.entries(runners)) {
    await page.click(`#tab-${language}`);
    const [name] = /publish\.\w+/.exec(await page.textContent('#run'));
    const file = path.join(sidecast.folder, name);
    writeFileSync(file, await page.textContent('#snippet'));
    if (!await run(tool, [ask]).catch(() => null)) {
      t.diagnostic(`${tool} is not installed: not tried`);
      continue;
    }
    const [first, ...rest] = command(file);
    const { stdout } = await run(first, rest, { timeout: 60_000, env: { ...process.env, GOCACHE: `${sidecast.folder}/go` } });
    assert.match(stdout, /durability/);
    await both_show(page, `Hello from ${language}`);
  }
  await nothing_to_complain(page);
  await page.context().close();
}));

test('the tabs are worked by keys, and the copy button copies', with_sidecast({ role: 'demo' }, async (sidecast) => {
  const page = await open_demo(browser, sidecast.ready.page, laptop);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);

  await page.focus('#tab-curl');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-Ruby');
  assert.equal(await page.getAttribute('#tab-Ruby', 'aria-selected'), 'true');
  await page.keyboard.press('Home');
  await page.click('#copy');
  await until(async () => (await page.textContent('#copy')) === 'Copied', 5000);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.textContent('#snippet'));
  await nothing_to_complain(page);
  await page.context().close();
}));

test('both clients come back after the gateway died', with_sidecast({ role: 'demo' }, async (sidecast) => {
  const page = await open_demo(browser, sidecast.ready.page, laptop);
  process.kill(sidecast.pids.gateways[0], 'SIGKILL');
  await page.waitForSelector('#sio .state[data-state="lost"]', { timeout: seen_ms });

  for (const pane of ['sio', 'native'])
    await page.waitForSelector(`#${pane} .state[data-state="connected"]`, { timeout: 30_000 });
  await sidecast.publish({ room: 'demo:1', event: 'hello', data: { text: 'again' } });
  await both_show(page, 'again');
  await page.context().close();
}));

test('the demo\'s routes refuse what is not theirs', with_sidecast({ role: 'demo' }, async (sidecast) => {
  const ask = (target, options) => sidecast.request(`${sidecast.gateway}${target}`, options);
  const body = JSON.stringify({ room: 'demo:1', event: 'hello' });
  const post = (headers, text = body) => ask('/demo/publish', { method: 'POST', headers, body: text });
  const json = { 'content-type': 'application/json' };

  assert.equal((await ask('/demo/trace/01JD')).json.code, 'E_NOT_FOUND');
  assert.equal((await ask(`/demo/trace/${'a'.repeat(65)}`)).status, 404);
  assert.equal((await ask('/demo/trace/%2e%2e')).status, 404);
  assert.equal((await ask('/demo/nothing.js')).status, 404);
  assert.equal((await ask('/demo/../secret')).status, 404);
  assert.equal((await ask('/')).headers.location, '/demo');
  assert.equal((await post({ 'content-type': 'text/plain' })).json.code, 'E_MEDIA_TYPE');
  assert.equal((await post(json, '{"room":')).json.code, 'E_BAD_REQUEST');
  assert.equal((await post(json, '{"event":"a"}')).json.code, 'E_BAD_TARGET');
  assert.equal((await post(json)).json.durability, 'log');
  assert.equal((await post(json, `"${'a'.repeat(70_000)}"`)).status, 413);

  const page = await ask('/demo');
  assert.match(page.headers['content-security-policy'], /default-src 'self'/);
  assert.equal(page.headers['cache-control'], 'no-store');
}));
