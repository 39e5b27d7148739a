import type { RedisSettings } from '../../../shared/config/redis-settings.ts';
import { connectionProblem, type ConnectionProblem } from './connection-problem.ts';

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

/** What it means that Redis could not be connected to or asked. */
export function redisProblem(
  error: unknown,
  settings: RedisSettings,
  variables: RedisVariables,
): ConnectionProblem {
  const address = redisAddress(settings);
  const tls = settings.kind === 'url' ? settings.url.startsWith('rediss:') : settings.tls;
  const reply = error instanceof Error && error.name === 'ReplyError' ? error.message : '';
  // Redis's errors begin with a code of their own.
  const code = reply.split(' ', 1)[0] ?? '';
  switch (code) {
    case '':
      return connectionProblem(error, {
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
        mend: 'Allow the user all commands (ACL SETUSER … +@all), INFO among them: the relay needs it.',
      };
    default:
      return {
        finding: `${address} answers: ${reply}`,
        mend: `Correct ${variables.address}, or its configuration.`,
      };
  }
}
