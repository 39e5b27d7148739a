import { X509Certificate } from 'node:crypto';
import pLimit from 'p-limit';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { FetchText } from './fetch-text.ts';
import { SnsUnreachableError } from './sns-unreachable-error.ts';

export interface SigningCertificates {
  /**
   * @param url has been checked to be of SNS
   * @throws AccessDenied when there is no certificate, SnsUnreachableError when that cannot be found out
   */
  get(url: URL): Promise<X509Certificate>;
}

const kept = 32;
/** Whoever knows a topic's ARN can have certificates looked for: no more than this many at once. */
const fetchesAtOnce = 4;

/** The certificates with which SNS signs, each fetched once. SNS publishes a new one under a new address. */
export function createSigningCertificates(fetchText: FetchText): SigningCertificates {
  const byAddress = new Map<string, Promise<X509Certificate>>();
  const limit = pLimit(fetchesAtOnce);

  async function load(url: URL): Promise<X509Certificate> {
    const { status, text } = await limit(() => fetchText(url)).catch((error: unknown) => {
      throw new SnsUnreachableError(error);
    });
    if (status === 429 || status >= 500) throw new SnsUnreachableError(undefined);
    const certificate = status === 200 ? parse(text) : undefined;
    if (certificate) return certificate;
    throw new AccessDenied('unauthenticated', 'There is no certificate at SigningCertURL.');
  }

  return {
    get(url) {
      const known = byAddress.get(url.href);
      if (known) return known;
      const loading = load(url).catch((error: unknown) => {
        byAddress.delete(url.href);
        throw error;
      });
      byAddress.set(url.href, loading);
      const [oldest] = byAddress.keys();
      if (byAddress.size > kept && oldest !== undefined) byAddress.delete(oldest);
      return loading;
    },
  };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
