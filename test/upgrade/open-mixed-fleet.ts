import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from '../../shared/config/read-settings.ts';
import { findFreePort } from '../../shared/embedded/find-free-port.ts';
import type { Guard } from '../../shared/embedded/open-guard.ts';
import { untilReadyMessage } from '../../shared/embedded/ready-message.ts';
import { supervise, type SupervisedChild } from '../../shared/embedded/supervise.ts';
import type { ReadyMessage } from '../../shared/process/run-process.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export type Version = 'old' | 'new';

/** Processes of two versions on the same stores, each started and stopped by itself. */
export interface MixedFleet extends AsyncDisposable {
  start(version: Version, command: readonly string[]): Promise<void>;
  /** SIGTERM; an API is given no more requests before that. */
  stop(version: Version, command: readonly string[]): Promise<void>;
  /** Runs a command to its end; answers its standard output. */
  run(version: Version, command: readonly string[]): Promise<string>;
  /** One of the APIs that take requests, in turn. */
  chooseApi(): string;
}

export interface MixedFleetOptions {
  folders: Readonly<Record<Version, string>>;
  environment: Environment;
  logDirectory: string;
  guard: Guard;
  logger: Logger;
}

/** Longer than the grace period that the processes have. */
const stopTimeoutMs = 40_000;

export function openMixedFleet({
  folders,
  environment,
  logDirectory,
  guard,
  logger,
}: MixedFleetOptions): MixedFleet {
  const children = new Map<string, SupervisedChild<ReadyMessage>>();
  let apis: { name: string; url: string }[] = [];
  let turn = 0;

  const nameOf = (version: Version, command: readonly string[]) => `${version}-${command.join('-')}`;
  const mainOf = (version: Version) => join(folders[version], 'bin/main.ts');

  return {
    async start(version, command) {
      const name = nameOf(version, command);
      const [port, servingPort] = [
        await findFreePort(undefined, '127.0.0.1'),
        await findFreePort(undefined, '127.0.0.1'),
      ];
      const child = supervise<ReadyMessage>(
        {
          name,
          role: 'process',
          program: process.execPath,
          arguments: [mainOf(version), ...command],
          environment: {
            ...environment,
            PORT: String(port),
            SERVING_PORT: String(servingPort),
            HEALTH_PORT: '0',
          },
          ipc: true,
          logFile: join(logDirectory, `${name}.log`),
          waitUntilReady: untilReadyMessage,
          readyTimeoutMs: 60_000,
          stopTimeoutMs,
        },
        { guard, logger, policy: { firstStarts: 1 } },
      );
      await child.start();
      children.set(name, child);
      const url = child.ready?.url;
      if (command[0] === 'api' && url !== undefined) apis.push({ name, url });
    },
    async stop(version, command) {
      const name = nameOf(version, command);
      apis = apis.filter((api) => api.name !== name);
      await children.get(name)?.stop();
      children.delete(name);
    },
    async run(version, command) {
      const { stdout } = await promisify(execFile)(process.execPath, [mainOf(version), ...command], {
        cwd: folders[version],
        env: environment,
        maxBuffer: 64 * 1024 * 1024,
      });
      return stdout;
    },
    chooseApi() {
      const api = apis[(turn += 1) % apis.length];
      if (!api) throw new Error('no API takes requests');
      return api.url;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children.values()].map((child) => child.stop()));
    },
  };
}
