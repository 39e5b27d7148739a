import { z } from 'zod';
import { buildServer } from '../../producers/api/build-server.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { apiOptions } from './api-options.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';
import { runPresage } from './run-presage.ts';

/** A key that `presage smoke` may be given, and never prints. */
export const smokeKey = 'the-key-of-this-test';

const reportSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({
      subject: z.string(),
      check: z.string(),
      state: z.string(),
      finding: z.string(),
      mend: z.string().nullable(),
    }),
  ),
});

/** Runs `presage smoke`; each finding as `state subject check: finding. mend`. */
export async function runSmoke(url: string, flags: readonly string[] = [], environment: Environment = {}) {
  const run = await runPresage(['smoke', '--url', url, '--json', ...flags], environment);
  expect(run.output + run.messages).not.toContain(smokeKey);
  const { ok, findings } = reportSchema.parse(JSON.parse(run.output));
  const lines = findings.map(
    ({ state, subject, check, finding, mend }) =>
      `${state} ${subject} ${check}: ${finding}${mend === null ? '' : `. ${mend}`}`,
  );
  expect(ok).toBe(run.exitCode === 0);
  return { exitCode: run.exitCode, messages: run.messages, lines };
}

/** The API in this process, with workers that a test plays itself, or none. */
export async function openSmokeApi(
  resources: AsyncDisposableStack,
): Promise<{ url: string; fleet: TestFleet }> {
  const fleet = resources.use(await openTestFleet(allQueues));
  const insightTable = { list: () => Promise.resolve({ insights: [], nextCursor: null }) };
  const server = resources.adopt(await buildServer(apiOptions(fleet, { insightTable })), (opened) =>
    opened.close(),
  );
  return { url: await server.listen({ host: '127.0.0.1', port: 0 }), fleet };
}
