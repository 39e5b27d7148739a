import { sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface CertificateOptions {
  /** Its common name. */
  name: string;
  publicKey: KeyObject;
  /** Who signs it: itself, or an authority. */
  issuer: { name: string; privateKey: KeyObject };
  /** What it is for; nothing in particular without it. */
  use?: 'authority' | { hosts: readonly string[] };
  validFrom: Date;
  validTo: Date;
}

/** An X.509 certificate as PEM, with no more in it than the standard and its use ask for. */
export function makeCertificate(options: CertificateOptions): string {
  const { name, publicKey, issuer, use, validFrom, validTo } = options;
  const content = sequence(
    ...(use === undefined ? [] : [der(0xa0, der(0x02, Buffer.from([2])))]),
    der(0x02, Buffer.from([use === 'authority' ? 1 : 2])),
    sha256WithRsa,
    distinguishedName(issuer.name),
    sequence(time(validFrom), time(validTo)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(use === undefined ? [] : [der(0xa3, sequence(extensionFor(use)))]),
  );
  const signature = sign('sha256', content, issuer.privateKey);
  const certificate = sequence(
    content,
    sha256WithRsa,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Basic constraints, or the alternative names. */
function extensionFor(use: NonNullable<CertificateOptions['use']>): Buffer {
  if (use === 'authority') {
    return sequence(objectId(0x55, 0x1d, 0x13), yes, der(0x04, sequence(yes)));
  }
  const names = use.hosts.map((host) =>
    isIP(host) === 4
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host, 'ascii')),
  );
  return sequence(objectId(0x55, 0x1d, 0x11), der(0x04, sequence(...names)));
}

function distinguishedName(name: string): Buffer {
  return sequence(set(sequence(objectId(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

function objectId(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(digits));
}

const yes = der(0x01, Buffer.from([0xff]));

const sha256WithRsa = sequence(
  objectId(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b),
  der(0x05, Buffer.alloc(0)),
);
