// What a client may say, right and wrong: queries, packets, bodies of POSTs, from a seed.

const pick = (random, list) => list[random(list.length)];

const queries = [
  'EIO=4&transport=polling', 'EIO=4&transport=polling', 'EIO=4&transport=polling', 'EIO=4&transport=polling&t=x1',
  'EIO=4&transport=polling&sid=', 'EIO=4&transport=polling&b64=1&j=0', 'EIO=3&transport=polling', 'transport=polling',
  'EIO=4', 'EIO=4&transport=websocket', 'EIO=4&transport=__proto__', 'EIO=4&transport=polling&transport=x',
  'EIO=3&EIO=4&transport=polling', 'EIO=4&transport=polling&sid=nobody', 'EIO=4&transport=polling&sid=%00',
  'EIO=4&transport=polling&token=abc&x=%zz', '', '&&&=&', `EIO=4&transport=polling&x=${'y'.repeat(3000)}`,
];

// Engine.IO packets; those of Socket.IO begin with 4.
const packets = [
  '40', '40', '40', '40', '40{}', '40{"token":"x"}', '40/custom,', '40/custom,{"a":1}', '40/auth,', '40/none,', '40[]',
  '42["message",1,"two",{"three":3}]', '421["message-with-ack",1]', '42["message","\u00e9\u{1f600}"]',
  '427["join","room"]', '42["say","room","hello"]', '42["drop"]', '42["unknown"]', '428["unknown"]', '42[]', '42{}',
  '42["connect"]', '42[1,2]', '41', '41/custom,', '42/custom,["message"]', '43[]', '431["x"]', '4399["x"]',
  '451-["message",{"_placeholder":true,"num":0}]', '452-["message",{"_placeholder":true,"num":1}]',
  '451-3["message-with-ack",{"_placeholder":true,"num":0}]', '450-["x"]', '4511-["x"]', '45["x"]', 'bAQIDBA==', 'bAQ',
  'b', 'b!!', '4', '44', '4hello', '3', '3', '3', '6', '0', '5', '2', '2probe', '1', '7', '', 'x', '\u0000', '4\u0000',
  `42["message","${'z'.repeat(3000)}"]`, '42["message",[[[[[[[[1]]]]]]]]]', '42["message",1e400]', '42["',
];

// What mostly does no harm, so that sessions live long enough to be interesting.
const tame = packets.slice(0, 20).concat('3', '3', '6');

function mutate(random, text) {
  const bytes = Buffer.from(text);
  for (let n = 1 + random(3); n > 0 && bytes.length > 0; n--)
    bytes[random(bytes.length)] = random(256);
  return bytes;
}

export function packet(random) {
  const text = pick(random, random(3) ? tame : packets);
  return random(12) ? text : mutate(random, text);
}

// Packets joined as polling joins them; sometimes wrongly.
export function body(random) {
  const parts = [];
  for (let n = 1 + random(5); n > 0; n--)
    parts.push(Buffer.from(packet(random)), Buffer.from('\x1e'));
  if (random(20))
    parts.pop();
  return Buffer.concat(parts);
}

export function query(random) {
  return pick(random, queries);
}

export const path = (random) => pick(random, ['/socket.io/', '/socket.io/', '/engine.io/', '/socket.io/x']);
export const method = (random) => pick(random, ['PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']);
