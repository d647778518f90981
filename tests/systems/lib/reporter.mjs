// A reporter of Node's runner: one JSON line per test that has ended.
export default async function* reporter(events) {
  for await (const { type, data } of events)
    if ((type === 'test:pass' || type === 'test:fail') && data.details.type !== 'suite')
      yield `${JSON.stringify({ name: data.name, passed: type === 'test:pass', todo: data.todo })}\n`;
}
