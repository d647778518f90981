// An RSA key of this run: its public half in a file, and tokens signed with the other.
import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export async function with_rs256(use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-rs256-'));
  const file = path.join(folder, 'key.pem');
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const mint = (claims) => {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const text = `${part({ alg: 'RS256', kid: 'bench' })}.${part({ exp, ...claims })}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
  };
  try {
    writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
    return await use({ set: [`auth.jwt.keys=bench:RS256:${file}`], mint });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
