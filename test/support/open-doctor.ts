import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { migrateStores } from '../../producers/cli/migrate-stores.ts';
import { installSamples } from '../../producers/cli/models/install-samples.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import { createTestDatabase } from './create-test-database.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { runPresage } from './run-presage.ts';

/** `presage doctor` before a fleet in which all is well, until the test changes that. */
export interface Doctor extends AsyncDisposable {
  environment: Environment &
    Record<'REDIS_URL' | 'DATABASE_URL' | 'AWS_ENDPOINT_URL_DYNAMODB' | 'ARTIFACTS_URL', string>;
  /** An address of this machine that takes connections and never answers. */
  silentPort: number;
  /** Runs it where these variables are different. */
  examine(changes?: Environment, flags?: readonly string[]): Promise<Examination>;
}

/** Each finding is `state subject check: finding`. */
export interface Examination {
  exitCode: number;
  all: string[];
  /** What is to be mended. */
  amiss: string[];
  /** All that was printed. */
  text: string;
}

const reportSchema = z.strictObject({
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({
      subject: z.string(),
      check: z.string(),
      state: z.enum(['ok', 'warn', 'fail']),
      finding: z.string().min(1),
      mend: z.string().nullable(),
    }),
  ),
});

/**
 * Takes this machine's AWS credentials out of the test file's `process.env`: what it has is not what is tested.
 *
 * @param redisUrl instead of the test run's Redis, which a test must not reconfigure
 */
export async function openDoctor(redisUrl = process.env['TEST_REDIS_URL'] ?? ''): Promise<Doctor> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const database = resources.use(await createTestDatabase());
  const dynamodb = await servers.startDynamodb();
  const artifacts = await mkdtemp(join(tmpdir(), 'presage-artifacts-'));
  resources.defer(() => rm(artifacts, { recursive: true, force: true }));
  const silent = createServer((socket) => void socket.resume().on('error', () => undefined));
  resources.defer(() => void silent.close());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port: silentPort } = silent.address() as AddressInfo;
  const environment = {
    REDIS_URL: redisUrl,
    DATABASE_URL: database.url,
    // Those who can be asked, and are asked with --deep only.
    USE_BEDROCK: 'false',
    OPENAI_API_KEY: 'sk-secret',
    OPENAI_BASE_URL: `http://127.0.0.1:${silentPort}/v1`,
    TOGETHER_AI_KEY: 'tk-secret',
    TOGETHER_BASE_URL: `http://127.0.0.1:${silentPort}/v1`,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    ARTIFACTS_URL: pathToFileURL(artifacts).href,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) delete process.env[name];
  process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
  await migrateStores(environment);
  await installSamples(environment, (line) => expect(line).toBe(''));
  const owned = resources.move();

  return {
    environment,
    silentPort,
    async examine(changes = {}, flags = []) {
      const run = await runPresage(['doctor', '--json', ...flags], { ...environment, ...changes });
      const report = reportSchema.parse(JSON.parse(run.output));
      expect(report.ok).toBe(run.exitCode === 0);
      for (const { state, mend } of report.findings) expect(mend === null).toBe(state === 'ok');
      return {
        exitCode: run.exitCode,
        all: report.findings.map(
          ({ state, subject, check, finding }) => `${state} ${subject} ${check}: ${finding}`,
        ),
        amiss: report.findings
          .filter(({ state }) => state !== 'ok')
          .map(({ state, subject, check, finding }) => `${state} ${subject} ${check}: ${finding}`),
        text: run.output + run.messages,
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
