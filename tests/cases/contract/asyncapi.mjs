// The AsyncAPI of a catalog: every reference leads somewhere, and the payloads that clients
// get are the ones that its schemas let pass.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import Ajv from 'ajv';

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-asyncapi-'));
after(() => rmSync(folder, { recursive: true }));

mkdirSync(path.join(folder, 'contracts'));
writeFileSync(path.join(folder, 'contracts/task%3Amoved.schema.json'), JSON.stringify({
  required: ['at', 'note'],
  properties: { at: { $ref: '#/definitions/a point' }, note: { enum: [{ $ref: '#' }, 'x'] }, self: { $ref: '#' } },
  definitions: { 'a point': { type: 'integer' } },
}));
writeFileSync(path.join(folder, 'sidecast.yaml'), `
contracts: contracts
envelope: {type: "{event}", data: "{payload}", ms: "{now.ms}", v: 2, list: ["{payload.a}", "{payload.b[]}"]}
events:
  raw: {contract: {type: string}, envelope: "{payload}"}
  pair: {args: ["{payload.a}", "{event}"]}
  twins: {emit_as: [one, two]}
  third: {emit_as: [two, three]}
`);

const run = spawnSync(process.env.SIDECAST, ['contracts', '--asyncapi', '-c', path.join(folder, 'sidecast.yaml')],
  { encoding: 'utf8', env: { PATH: process.env.PATH } });

test('each name is a channel, and each reference leads somewhere', () => {
  assert.equal(run.status, 0, run.stderr);
  const document = JSON.parse(run.stdout);
  assert.equal(document.asyncapi, '2.6.0');
  assert.deepEqual(Object.keys(document.channels), ['raw', 'pair', 'one', 'two', 'three', 'task:moved']);
  assert.deepEqual(document.channels.two.subscribe.message.oneOf.length, 2);
  for (const [, ref] of run.stdout.matchAll(/"\$ref":"([^"]{2,})"/g)) {
    const found = ref.slice(2).split('/').reduce((inner, key) => inner?.[key], document);
    assert.notEqual(found, undefined, ref);
  }
});

test('its schemas let pass what clients get, and nothing else', () => {
  const document = JSON.parse(run.stdout);
  const ajv = new Ajv({ strict: false });
  ajv.addSchema(document, 'doc');
  const holds = (name, value) => ajv.compile({ $ref: `doc#/components/messages/${name}/payload` })(value);
  const moved = (data) => ({ type: 'task:moved', data, ms: 1, v: 2, list: [1, 2, 3] });

  assert.equal(holds('TaskMoved', moved({ at: 1, note: 'x', self: { at: 2, note: { $ref: '#' } } })), true);
  assert.equal(holds('TaskMoved', moved({ at: 'one', note: 'x' })), false);
  assert.equal(holds('TaskMoved', moved({ at: 1, note: 'x', self: { at: 2 } })), false);
  assert.equal(holds('TaskMoved', { ...moved({ at: 1, note: 'x' }), v: 3 }), false);
  assert.equal(holds('TaskMoved', { data: { at: 1, note: 'x' } }), false);
  assert.equal(holds('Raw', 'text'), true);
  assert.equal(holds('Raw', 7), false);
  assert.equal(holds('Pair', [{}, 'pair']), true);
  assert.equal(holds('Pair', [{}, 7]), false);
});
