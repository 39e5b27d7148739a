import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ReadyMessage } from '../process/run-process.ts';
import type { ChildDefinition } from './child-definition.ts';
import { readDataSettings, writeDataSettings } from './data-settings-file.ts';
import { serverEnvironment, type EmbeddedServer, type EmbeddedServerOptions } from './embedded-server.ts';
import { startOnFreePort } from './find-free-port.ts';
import { untilReadyMessage } from './ready-message.ts';
import { supervise } from './supervise.ts';

/**
 * A DynamoDB emulator. It knows no users: any credentials do, and its URL holds none because the AWS SDK
 * takes no such URL.
 *
 * @throws ChildStartError
 */
export async function startDynamodb(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { directory } = options;
  const dataDirectory = path.join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const settings = await readDataSettings(directory);

  return startOnFreePort(settings.port, async (port) => {
    await writeDataSettings(directory, { ...settings, port });
    const definition: ChildDefinition<ReadyMessage> = {
      name: 'dynamodb',
      role: 'server',
      program: process.execPath,
      arguments: [path.join(import.meta.dirname, 'dynamodb-process.ts'), String(port), dataDirectory],
      environment: serverEnvironment(options.environment),
      ipc: true,
      logFile: path.join(directory, 'dynamodb.log'),
      waitUntilReady: untilReadyMessage,
      readyTimeoutMs: 120_000,
      stopTimeoutMs: 10_000,
    };
    const child = supervise(definition, { ...options, policy: { firstStarts: 1 } });
    await child.start();
    return Object.assign(child, { url: `http://127.0.0.1:${port}` });
  });
}
