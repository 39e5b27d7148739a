import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasCredentials } from '../../../shared/aws/has-credentials.ts';
import { busyMachineMs } from '../../support/until.ts';

const options = { region: 'us-east-1', endpointUrl: undefined, mayAskInstanceMetadata: false };
const names = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_PROFILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONFIG_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];
const before = { ...process.env };

describe('hasCredentials', () => {
  let silent: Server;

  beforeEach(async () => {
    for (const name of names) Reflect.deleteProperty(process.env, name);
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = process.env['AWS_CONFIG_FILE'] = '/dev/null';
    silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });

  afterEach(async () => {
    for (const name of names) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    const closed = once(silent, 'close');
    silent.close();
    silent.closeAllConnections();
    await closed;
  });

  it('finds the ones of the environment', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'own', AWS_SECRET_ACCESS_KEY: 'own' });
    expect(await hasCredentials(options, busyMachineMs)).toBe(true);
  });

  it('says so where there are none', async () => {
    expect(await hasCredentials(options, 2_000)).toBe(false);
  });

  it('needs none for a local server', async () => {
    expect(await hasCredentials({ ...options, endpointUrl: 'http://127.0.0.1:1' }, busyMachineMs)).toBe(true);
  });

  it('waits no longer than it is told to', async () => {
    const { port } = silent.address() as AddressInfo;
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://127.0.0.1:${port}/role`;
    expect(await hasCredentials(options, 200)).toBe(false);
  });

  it('does not reject for an address that is none', async () => {
    expect(await hasCredentials({ ...options, endpointUrl: 'nonsense' }, 200)).toBe(false);
  });
});
