import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate } from './make-certificate.ts';

export interface Authority {
  name: string;
  privateKey: KeyObject;
  pem: string;
}

/** Paths of PEM files, and who has signed what they hold. */
export interface TlsFiles {
  issuer: Authority;
  /** The certificate of that authority. */
  authority: string;
  certificate: string;
  key: string;
}

const dayMs = 24 * 3_600_000;

/** A server's certificate and its key, of an authority that nobody knows; what is in the folder is written over. */
export async function makeTlsFiles(
  directory: string,
  hosts: readonly string[],
  issuer: Authority = makeAuthority(),
): Promise<TlsFiles> {
  await mkdir(directory, { recursive: true });
  const server = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const files = {
    issuer,
    authority: join(directory, 'authority.pem'),
    certificate: join(directory, 'server.pem'),
    key: join(directory, 'server.key'),
  };
  const certificate = makeCertificate({
    ...aroundToday(),
    name: 'A server',
    publicKey: server.publicKey,
    issuer,
    use: { hosts },
  });
  await writeFile(files.authority, issuer.pem);
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, server.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return files;
}

function makeAuthority(): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const name = 'An authority of our own';
  const pem = makeCertificate({
    ...aroundToday(),
    name,
    publicKey,
    issuer: { name, privateKey },
    use: 'authority',
  });
  return { name, privateKey, pem };
}

function aroundToday(): { validFrom: Date; validTo: Date } {
  return { validFrom: new Date(Date.now() - dayMs), validTo: new Date(Date.now() + dayMs) };
}
