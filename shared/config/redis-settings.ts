import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { flag, urlWithScheme, wholeNumber } from './setting-types.ts';

export interface RedisNode {
  host: string;
  port: number;
}

/** Where Redis is: one server by URL or by host, or the nodes of a cluster. */
export type RedisSettings =
  | { kind: 'url'; url: string }
  | ({ kind: 'server'; host: string; port: number } & RedisCredentials)
  | ({ kind: 'cluster'; nodes: readonly RedisNode[] } & RedisCredentials);

interface RedisCredentials {
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
}

const redisUrl = urlWithScheme(['redis:', 'rediss:']);

const clusterNodes = z.string().transform((list, context): { nodes: RedisNode[]; tls: boolean } => {
  const nodes: RedisNode[] = [];
  let tls = false;
  for (const entry of list.split(',')) {
    const match = /^(redis:\/\/|rediss:\/\/)?([^\s:@/]+):(\d{1,5})$/.exec(entry.trim());
    if (!match?.[2] || !match[3]) {
      context.addIssue({ code: 'custom', message: 'must be a comma-separated list of host:port' });
      return z.NEVER;
    }
    nodes.push({ host: match[2], port: Number(match[3]) });
    tls ||= match[1] === 'rediss://';
  }
  return { nodes, tls };
});

export const redisSettings = settingGroup(
  z.object({
    REDIS_URL: redisUrl.optional(),
    REDIS_HOST: z.string().optional(),
    REDIS_PORT: wholeNumber(1, 65_535).default(6379),
    REDIS_USERNAME: z.string().optional(),
    REDIS_PASSWORD: z.string().optional(),
    REDIS_TLS: flag.default(false),
    REDIS_CLUSTER_NODES: clusterNodes.optional(),
  }),
  (values, report): RedisSettings => {
    const credentials: RedisCredentials = {
      username: values.REDIS_USERNAME,
      password: values.REDIS_PASSWORD,
      tls: values.REDIS_TLS,
    };
    if (values.REDIS_CLUSTER_NODES) {
      const { nodes, tls } = values.REDIS_CLUSTER_NODES;
      return { kind: 'cluster', nodes, ...credentials, tls: tls || credentials.tls };
    }
    if (values.REDIS_URL) return { kind: 'url', url: values.REDIS_URL };
    if (!values.REDIS_HOST) {
      report(
        'REDIS_URL',
        'not set: set REDIS_URL, REDIS_HOST or REDIS_CLUSTER_NODES, or run `presage up` in this folder',
      );
    }
    return { kind: 'server', host: values.REDIS_HOST ?? '', port: values.REDIS_PORT, ...credentials };
  },
);

/** A separate Redis for caches, which may evict; `undefined` means: the same as the queues'. */
export const cacheRedisSettings = settingGroup(
  z.object({ CACHE_REDIS_URL: redisUrl.optional() }),
  (values): RedisSettings | undefined =>
    values.CACHE_REDIS_URL ? { kind: 'url', url: values.CACHE_REDIS_URL } : undefined,
);
