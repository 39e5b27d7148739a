import type { RedisSettings } from '../config/redis-settings.ts';
import { errorCode } from '../errors/classify.ts';
import { connectionProblem, type ConnectionProblem } from '../errors/connection-problem.ts';

/** Where a Redis is, without its password. */
export function redisAddress(settings: RedisSettings): string {
  if (settings.kind === 'url') return new URL(settings.url).host;
  const nodes = settings.kind === 'cluster' ? settings.nodes : [settings];
  return nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
}

/** The variables of one Redis, in words. */
export interface RedisVariables {
  address: string;
  credentials: string;
  tls: string;
}

const queueVariables: RedisVariables = {
  address: 'REDIS_URL, REDIS_HOST and REDIS_PORT, or REDIS_CLUSTER_NODES',
  credentials: 'the user and password in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD',
  tls: 'rediss:// in REDIS_URL, or REDIS_TLS',
};

/** What a cluster's client gave up on, for the last node that it tried; any other error as it is. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error
    ? error.lastNodeError
    : error;
}

function messageOf(error: unknown): string {
  const reason = reasonOf(error);
  return reason instanceof Error ? reason.message : '';
}

/** The code with which an error reply of Redis begins, for example `WRONGPASS`; undefined for any other error. */
export function redisErrorCode(error: unknown): string | undefined {
  const reason = reasonOf(error);
  if (!(reason instanceof Error) || reason.name !== 'ReplyError') return undefined;
  return reason.message.split(' ', 1)[0];
}

/**
 * What it means that Redis could not be connected to or asked.
 *
 * @param variables those of the queues' Redis, unless it is another one
 */
export function redisProblem(
  error: unknown,
  settings: RedisSettings,
  variables = queueVariables,
): ConnectionProblem {
  const address = redisAddress(settings);
  const tls = settings.kind === 'url' ? settings.url.startsWith('rediss:') : settings.tls;
  const code = redisErrorCode(error);
  const isWithoutReason = code === undefined && errorCode(reasonOf(error)) === undefined;
  if (settings.kind === 'cluster' && isWithoutReason) {
    // Its client does not tell why.
    return {
      finding: `no node of ${address} can be asked`,
      mend: `Are they running? Else correct ${variables.address}, or ${variables.tls}.`,
    };
  }
  switch (code) {
    case undefined:
      return connectionProblem(reasonOf(error), {
        service: 'Redis',
        address,
        variables: variables.address,
        tls,
        tlsSetting: variables.tls,
      });
    case 'WRONGPASS':
      return {
        finding: `${address} refuses the user or the password`,
        mend: `Correct ${variables.credentials}.`,
      };
    case 'NOAUTH':
      return {
        finding: `${address} asks for a password, and none is configured`,
        mend: `Set ${variables.credentials}.`,
      };
    case 'NOPERM':
      return {
        finding: `${address} refuses the user commands that the fleet needs`,
        mend: 'Allow the user all commands but the dangerous ones, and INFO, which the relay needs (ACL SETUSER … +@all -@dangerous +info).',
      };
    default:
      return {
        finding: `${address} answers: ${messageOf(error)}`,
        mend: `Correct ${variables.address}, or its configuration.`,
      };
  }
}
