import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { readSettings, type Environment } from './read-settings.ts';
import { tlsSettings } from './tls-settings.ts';

/**
 * Lets every client of this process accept certificates of the authorities in `NODE_EXTRA_CA_CERTS` too, as Node.js
 * does by itself where the variable is set before it starts.
 *
 * @throws ConfigurationError
 */
export function trustAuthorities(environment: Environment): void {
  const { authorities } = readSettings({ tls: tlsSettings }, environment).tls;
  setDefaultCACertificates([...getCACertificates('default'), ...authorities]);
}
