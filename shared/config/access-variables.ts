import { z } from 'zod';
import { scopes, type ApiKey, type Scope } from '../http-access/api-key.ts';
import { flag, wholeNumber } from './setting-types.ts';

/** Who may call a process over HTTP. */
export interface AccessSettings {
  /** Empty: no key is asked for, and only this machine or a trusted network can reach the process. */
  keys: readonly ApiKey[];
  trustedNetwork: boolean;
  /** Origins of web pages that may call the API, besides its own. */
  corsOrigins: readonly string[];
  /** Requests that one key may make per minute in one process. */
  requestsPerMinute: number;
}

const keyRule = 'must be a comma-separated list of name:scopes:sha256, for example shop:produce+read:9f86d0…';

const apiKeys = z.string().transform((list, context): ApiKey[] => {
  const keys: ApiKey[] = [];
  for (const entry of list.split(',')) {
    const match = /^([A-Za-z0-9._-]{1,64}):([a-z+]+):([0-9a-f]{64})$/.exec(entry.trim());
    const [, name, granted, sha256] = match ?? [];
    const known = granted?.split('+').map(toScope) ?? [];
    if (!name || !sha256 || known.includes(undefined)) {
      context.addIssue({ code: 'custom', message: keyRule });
      return z.NEVER;
    }
    if (keys.some((key) => key.name === name)) {
      context.addIssue({ code: 'custom', message: `names ${name} twice` });
      return z.NEVER;
    }
    const ofKey = new Set(known.filter((scope) => scope !== undefined));
    keys.push({ name, scopes: ofKey, sha256: Buffer.from(sha256, 'hex') });
  }
  return keys;
});

const origins = z.string().transform((list, context): string[] => {
  const parsed = list.split(',').map((origin) => origin.trim());
  if (parsed.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be a comma-separated list of origins, for example https://shop.example',
  });
  return z.NEVER;
});

export const accessVariables = {
  PRESAGE_API_KEYS: apiKeys.optional(),
  PRESAGE_TRUSTED_NETWORK: flag.default(false),
  CORS_ORIGINS: origins.optional(),
  API_REQUESTS_PER_MINUTE: wholeNumber(1, 10_000_000).default(60_000),
};

export function accessSettings(values: z.output<z.ZodObject<typeof accessVariables>>): AccessSettings {
  return {
    keys: values.PRESAGE_API_KEYS ?? [],
    trustedNetwork: values.PRESAGE_TRUSTED_NETWORK,
    corsOrigins: values.CORS_ORIGINS ?? [],
    requestsPerMinute: values.API_REQUESTS_PER_MINUTE,
  };
}

function toScope(text: string): Scope | undefined {
  return scopes.find((scope) => scope === text);
}
