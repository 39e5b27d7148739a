import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { settingGroup } from './read-settings.ts';

/** Whose certificates are accepted beside those that Node.js knows. */
export interface TlsSettings {
  /** As PEM, one each. */
  authorities: readonly string[];
}

export const tlsSettings = settingGroup(
  z.object({ NODE_EXTRA_CA_CERTS: z.string().optional() }),
  ({ NODE_EXTRA_CA_CERTS: file }, report): TlsSettings => {
    if (file === undefined) return { authorities: [] };
    const authorities = readText(file)?.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g);
    if (!authorities) report('NODE_EXTRA_CA_CERTS', 'names no file of PEM certificates that can be read');
    return { authorities: authorities ?? [] };
  },
);

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
