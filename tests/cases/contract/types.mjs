// The TypeScript of a catalog: what keeps the contracts compiles with socket.io-client's own
// types, what does not is an error in the line where it is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';

import ts from 'typescript';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-types-'));
after(() => rmSync(folder, { recursive: true }));

const contracts = {
  'agent_update': {
    type: 'object',
    required: ['agentId', 'status'],
    properties: {
      agentId: { type: ['string', 'integer'] },
      status: { enum: ['up', 'down', 3, null] },
      at: { $ref: '#/definitions/a point' },
      tags: { type: 'array', items: { type: 'string' } },
      pair: { items: [{ type: 'number' }, { const: 'x' }], minItems: 1, additionalItems: false },
      any: { anyOf: [{ type: 'boolean' }, { required: ['why not'] }] },
      all: { allOf: [{ properties: { a: { type: 'string' } } }, { required: ['b'] }] },
      by: { additionalProperties: { type: 'number' } },
      self: { $ref: '#' },
      middle: { $ref: '#/properties/by' },
      never: false,
    },
    additionalProperties: false,
    definitions: { 'a point': { required: ['x'], properties: { x: { type: 'number' } } } },
  },
  'agent%3Aupdate': { type: 'string' },
  '3d': { type: 'array', items: { type: 'integer' } },
};

const config = `
contracts: contracts
envelope: {type: "{event}", data: "{payload}", at: "{now.ms}", id: "{uuid}", v: 2, of: ["{args[]}", "{request.id}"]}
events:
  agent_update: {envelope: "{payload}"}
  "quo\\"te": {args: ["{payload.a}", "{event}", 7, "{args[1..]}"]}
  twins: {contract: {type: boolean}, emit_as: [one.a, one.b], envelope: "{payload}"}
  free: {envelope: "{payload}"}
  third: {emit_as: [one.b]}
  only: {args: "{payload.a}"}
commands:
  join_it: {do: join, room: "it:{args.0.id}", args: {id: id, n: int, o: object, s: {enum: [a, b]}}}
  ping: {do: reply, event: pong, args: "{args[]}"}
`;

mkdirSync(path.join(folder, 'contracts'));
writeFileSync(path.join(folder, 'sidecast.yaml'), config);
for (const [name, schema] of Object.entries(contracts))
  writeFileSync(path.join(folder, `contracts/${name}.schema.json`), JSON.stringify(schema));

const run = spawnSync(process.env.SIDECAST, ['contracts', '--types', '-c', path.join(folder, 'sidecast.yaml')],
  { encoding: 'utf8', env: { PATH: process.env.PATH } });
writeFileSync(path.join(folder, 'events.ts'), run.stdout);

// One statement a line; gives the numbers of the lines that do not compile.
function errors_of(lines) {
  const file = path.join(folder, 'program.ts');
  writeFileSync(file, [
    "import { io, type Socket } from 'socket.io-client';",
    "import type * as made from './events';",
    'const socket: Socket<made.ServerToClientEvents, made.ClientToServerEvents> = io();',
    'const update: made.AgentUpdate = { agentId: 1, status: "up" };',
    ...lines,
  ].join('\n'));
  const program = ts.createProgram([file], {
    strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2020,
    module: ts.ModuleKind.ES2020, moduleResolution: ts.ModuleResolutionKind.Node10,
    baseUrl: root, paths: { 'socket.io-client': ['node_modules/socket.io-client'] },
  });
  return ts.getPreEmitDiagnostics(program).map((one) => {
    const line = one.file?.getLineAndCharacterOfPosition(one.start).line ?? -1;
    const text = ts.flattenDiagnosticMessageText(one.messageText, ' ');
    return one.file?.fileName === file && line > 3 ? line - 4 : `${one.file?.fileName}:${line}: ${text}`;
  });
}

test('the types are printed', () => {
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /^export type AgentUpdate = \{$/m);
});

test('what keeps the contracts compiles', () => {
  assert.deepEqual(errors_of([
    'socket.on("agent_update", (p) => { const id: string | number = p.agentId; });',
    'socket.on("agent_update", (p) => { const s: "up" | "down" | 3 | null = p.status; });',
    'socket.on("agent_update", (p) => { const x: number = p.at!.x; const t: string[] = p.tags!; });',
    'socket.on("agent_update", (p) => { const b: "x" | undefined = p.pair![1]; });',
    'socket.on("agent_update", (p) => { const n: number = p.self!.self!.by!["k"]; const a: string | undefined = p.all!.a; });',
    'socket.on("agent:update", (p) => { const d: string = p.data; const t: string = p.type; const at: number = p.at; const v: 2 = p.v; });',
    'socket.on("3d", (p) => { const n: number = p.data[0]; });',
    'socket.on("quo\\"te", (a, event, seven) => { const e: string = event; const s: 7 = seven; });',
    'socket.on("one.a", (p) => { const b: boolean = p; }); socket.on("one.b", (p) => { const b: boolean = p; const s: string = p; });',
    'socket.on("free", (...all) => { const n = all.length; });',
    'socket.emit("join_it", { id: 7, n: 1, o: {}, s: "a" }); socket.emit("join_it", { id: "x", n: 1, o: {}, s: "b" }, (answer) => {});',
    'socket.emit("ping", 1, "two");',
  ]), []);
});

test('what does not keep them is an error where it is wrong', () => {
  const wrong = [
    'socket.on("agent_updat", () => {});',
    'socket.on("agent_update", (p) => { const id: string = p.agentId; });',
    'socket.on("agent_update", (p) => { p.statu; });',
    'socket.on("agent_update", (p) => { const x: string = p.at!.x; });',
    'socket.on("agent_update", (p) => { const x = p.at.x; });',
    'socket.on("agent:update", (p) => { const n: number = p.data; });',
    'socket.on("twins", () => {});',
    'const u: made.AgentUpdate = { agentId: 1 };',
    'const u2: made.AgentUpdate = { agentId: 1, status: "odd" };',
    'const u3: made.AgentUpdate = { ...update, pair: [1, "y"] };',
    'const u4: made.AgentUpdate = { ...update, never: 1 };',
    'socket.emit("join_it", { id: true, n: 1, o: {}, s: "a" });',
    'socket.emit("join_it", { id: 1, n: 1, o: {}, s: "c" });',
    'socket.emit("leave_it", {});',
  ];
  assert.deepEqual([...new Set(errors_of(wrong))], wrong.map((_, i) => i));
});
