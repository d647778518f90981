// Our contracts beside ajv: random schemas of the subset, random documents, one verdict
// each. A difference must be one of those that are explained here, and there is none.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import Ajv from 'ajv';

const verdicts = path.join(path.dirname(process.env.SIDECAST), 'cases/contract_verdicts');
const seed = Number(process.env.SEED ?? 20261121);
const SCHEMAS = 1000;
const DOCUMENTS = 12;

// --- chance

function chance(from) {
  let state = from >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (n) => Math.floor(next() * n),
    odds: (p) => next() < p,
    one(list) { return list[Math.floor(next() * list.length)]; },
    some(list, most) {
      const left = [...list];
      const taken = [];
      for (let n = Math.floor(next() * (most + 1)); n > 0 && left.length > 0; n--)
        taken.push(...left.splice(Math.floor(next() * left.length), 1));
      return taken;
    },
  };
}

// --- documents: texts, since 1.0 and 1 are the same value in two spellings

const names = ['a', 'b', 'c', 'ab', 'x-1', '\u00e9', 'a/b', 'constructor'];
const numbers = ['0', '-0', '1', '1.0', '1e0', '2', '3', '2.5', '-3', '10', '1e2', '0.5', '7.25'];
const strings = ['""', '"a"', '"\\u0061"', '"ab"', '"b1"', '"\u00e9\u00e9"', '"\\u00e9"',
  '"\ud83d\ude00"', '"\\ud83d\\ude00"', '"aaaa"', '"A/b"', '"1"', '"\\n"', '"x y"'];

function document(random, depth) {
  const kind = random.below(depth > 0 ? 9 : 5);
  if (kind === 0) return random.one(['null', 'true', 'false']);
  if (kind <= 2) return random.one(numbers);
  if (kind <= 4) return random.one(strings);
  if (kind <= 6) {
    const items = Array.from({ length: random.below(5) }, () => document(random, depth - 1));
    return `[${items.join(random.odds(0.3) ? ' , ' : ',')}]`;
  }
  const members = random.some(names, 5)
    .map((name) => `${JSON.stringify(name)}:${document(random, depth - 1)}`);
  return `{${members.join(',')}}`;
}

// --- schemas

const types = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];
const patterns = ['^a', 'b$', '^[a-z]+$', '[0-9]', '^.{2}$', '^(a|ab)*$', '\\w\\s', '^\\S*$', '^[^a]', 'a{2,3}'];

const value = (random) => JSON.parse(document(random, 1));
const count = (random) => random.below(4);

const keywords = {
  type: (random) => (random.odds(0.6) ? random.one(types)
    : [random.one(types.slice(0, 3)), random.one(types.slice(3))]),
  enum: (random) => [...new Map(Array.from({ length: 1 + random.below(5) }, () => value(random))
    .map((item) => [JSON.stringify(item), item])).values()],
  const: value,
  minimum: (random) => random.below(4) - 1,
  maximum: (random) => random.below(10),
  exclusiveMinimum: (random) => random.below(3) - 1,
  exclusiveMaximum: (random) => random.below(10),
  multipleOf: (random) => random.one([1, 2, 0.5, 0.25, 3]),
  minLength: count,
  maxLength: count,
  pattern: (random) => random.one(patterns),
  minItems: count,
  maxItems: count,
  uniqueItems: (random) => random.odds(0.8),
  contains: schema,
  items: (random, depth) => (random.odds(0.6) ? schema(random, depth)
    : Array.from({ length: 1 + random.below(3) }, () => schema(random, depth))),
  additionalItems: schema,
  minProperties: count,
  maxProperties: count,
  required: (random) => random.some(names, 3),
  properties: (random, depth) => map(random, random.some(names, 4), depth),
  patternProperties: (random, depth) => map(random, random.some(patterns, 2), depth),
  additionalProperties: schema,
  propertyNames: (random) => random.one([{ pattern: random.one(patterns) },
    { minLength: 2 }, { enum: random.some(names, 8) }, true].map((s) =>
    (s.enum && s.enum.length === 0 ? true : s))),
  dependencies: (random, depth) => Object.fromEntries(random.some(names, 2).map((name) =>
    [name, random.odds(0.5) ? random.some(names, 2) : schema(random, depth)])),
  allOf: list,
  anyOf: list,
  oneOf: list,
  not: schema,
  if: schema,
  then: schema,
  else: schema,
};

function map(random, keys, depth) {
  return Object.fromEntries(keys.map((key) => [key, schema(random, depth)]));
}

function list(random, depth) {
  return Array.from({ length: 1 + random.below(3) }, () => schema(random, depth));
}

function schema(random, depth) {
  if (depth <= 0 || random.odds(0.1))
    return random.one([true, true, false, { type: random.one(types) }]);
  if (random.odds(0.08))
    return { $ref: `#/definitions/${random.one(['one', 'two'])}` };
  const words = random.some(Object.keys(keywords), 4);
  return Object.fromEntries(words
    .filter((word) => word !== 'const' || !words.includes('enum')) // either of them
    .map((word) => [word, keywords[word](random, depth - 1)]));
}

// The definitions refer to nothing, so that no reference leads to itself.
function whole(random) {
  const flat = () => Object.fromEntries(
    random.some(['type', 'minimum', 'pattern', 'required', 'uniqueItems', 'const'], 2)
      .map((word) => [word, keywords[word](random, 0)]));
  const top = schema(random, 3);
  const root = typeof top === 'object' && !top.$ref ? top : { allOf: [top] };
  return { ...root, definitions: { one: flat(), two: flat() } };
}

// --- both verdicts

function ours(cases) {
  const lines = cases.map(({ schema: one, documents }) =>
    `{"schema":${JSON.stringify(one)},"documents":[${documents.join(',')}]}\n`);
  const run = spawnSync(verdicts, { input: lines.join(''), maxBuffer: 2 ** 26 });
  assert.equal(run.status, 0, String(run.stderr));
  return String(run.stdout).trimEnd().split('\n');
}

// ajv lets [] pass {"items":[{"type":"string"}],"contains":true}, which draft-07 (6.4.6) does
// not: there it gets `contains` in a schema apart. (No name or value here is "contains".)
function apart(one) {
  if (Array.isArray(one)) return one.map(apart);
  if (one === null || typeof one !== 'object') return one;
  const all = Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, apart(inner)]));
  const { contains, ...rest } = all;
  if (contains === undefined || !Array.isArray(rest.items)) return all;
  return { ...rest, allOf: [...(rest.allOf ?? []), { contains }] };
}

const ajv = new Ajv({ strict: false, ownProperties: true });

function theirs({ schema: one, documents }) {
  const holds = ajv.compile(apart(one));
  return documents.map((text) => (holds(JSON.parse(text)) ? '1' : '0')).join('');
}

test('contracts and ajv say the same about random documents', { timeout: 120000 }, () => {
  const random = chance(seed);
  const cases = Array.from({ length: SCHEMAS }, () => ({
    schema: whole(random),
    documents: Array.from({ length: DOCUMENTS }, () => document(random, 3)),
  }));
  const answers = ours(cases);
  const differences = [];
  let held = 0;

  assert.equal(answers.length, cases.length);
  cases.forEach((one, i) => {
    const expected = theirs(one);
    held += [...expected].filter((verdict) => verdict === '1').length;
    [...expected].forEach((verdict, k) => {
      if (answers[i][k] !== verdict || answers[i].length !== expected.length)
        differences.push(`${JSON.stringify(one.schema)}\n  ${one.documents[k]}\n` +
          `  ours ${answers[i].slice(0, 80)}, ajv ${expected}`);
    });
  });
  const all = SCHEMAS * DOCUMENTS;
  console.log(`seed ${seed}: ${all} documents, ${held} of them hold, ` +
    `${differences.length} differences`);
  assert.deepEqual(differences.slice(0, 3), []);
  assert.equal(differences.length, 0);
  assert.ok(held > all / 10 && held < all * 9 / 10, 'both verdicts occur');
});
