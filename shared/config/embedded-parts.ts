import variablesOfParts from './embedded-parts.json' with { type: 'json' };
import { ConfigurationError, type Environment } from './read-settings.ts';

/** What `presage up` brings itself, unless the environment names another one. */
export type EmbeddedPart = keyof typeof variablesOfParts;

/**
 * Whether the environment says which Redis, MySQL, DynamoDB or artifact store is to be used. AWS credentials
 * alone say nothing.
 *
 * @throws ConfigurationError
 */
export function isConfigured(part: EmbeddedPart, environment: Environment): boolean {
  if (environment['DYNAMODB'] && environment['DYNAMODB'] !== 'aws') {
    throw new ConfigurationError([{ variable: 'DYNAMODB', problem: 'must be aws, or not set' }]);
  }
  return variablesOfParts[part].some((name) => Boolean(environment[name] || environment[`${name}_FILE`]));
}
