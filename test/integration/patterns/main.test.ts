import { contentGeneration } from '../../../shared/contracts/content-generation.ts';
import { patternDetection } from '../../../shared/contracts/pattern-detection.ts';
import { insertActivity } from '../../../shared/activity/insert-activity.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { openLlmServer } from '../../../shared/emulators/llm-server.ts';
import { daysBefore } from '../../../shared/patterns/local-day.ts';
import { busyMachineMs } from '../../support/until.ts';
import { prepareWorker } from '../../../workers/pattern-detection/main.ts';
import { everyDay, onWeekdays } from '../../support/make-habits.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

/** The worker as a process opens it, given its environment, behind a queue of its own; with one user of habits. */
async function openWorker(resources: AsyncDisposableStack, environment: Environment): Promise<TestFleet> {
  const fleet = resources.use(await openTestFleet([patternDetection, contentGeneration]));
  const { redisSettings: redis, keys, database, log, metrics, enqueue, consume } = fleet;
  const habit = onWeekdays('dashboard', daysBefore(Date.now(), 'UTC', 30), { weekdays: everyDay });
  await insertActivity(
    database.db,
    habit.map(({ activityType, occurredAtMs }, index) => ({
      event_id: `event-${index}`,
      user_id: 'anna',
      activity_type: activityType,
      occurred_at: new Date(occurredAtMs),
      timezone: null,
      metadata: null,
    })),
  );
  const check = await prepareWorker(environment)(resources, {
    redis,
    keys,
    database,
    log,
    metrics,
    tracing: fleet.tracing,
    enqueue,
    listensAt: () => undefined,
    consume: (contract, handlers) => void consume(contract, handlers),
  });
  expect(await check()).toEqual({ together: 'TOGETHER_BASE_URL' in environment ? 'ok' : 'degraded' });
  return fleet;
}

async function resultOf(fleet: TestFleet, payload: unknown): Promise<unknown> {
  const { id } = await fleet.enqueue.enqueue(patternDetection, payload, { replyTo: fleet.results.name });
  return (await fleet.results.wait(id, busyMachineMs))?.result;
}

test.each<[string, Environment]>([
  ['its key', { TOGETHER_AI_KEY: 'key-of-the-test' }],
  ['its key by the other name', { TOGETHER_API_KEY: 'key-of-the-test' }],
  ['an address alone', {}],
])('Together is asked where it is configured by %s', async (_, environment) => {
  await using resources = new AsyncDisposableStack();
  const llm = resources.use(await openLlmServer({ answer: () => '{"patterns":[]}' }));
  const fleet = await openWorker(resources, {
    TOGETHER_BASE_URL: llm.chatUrl,
    LLAMA_MODEL_ID: 'llama-of-the-test',
    ...environment,
  });
  expect(await resultOf(fleet, { user_id: 'anna' })).toEqual({
    patterns_detected: 1,
    predictions_queued: 1,
    model_used: 'together-llama-of-the-test',
    degraded: false,
  });
  expect(llm.requests).toMatchObject([{ model: 'llama-of-the-test' }]);
  expect(JSON.parse(llm.requests[0]?.body ?? '')).toMatchObject({
    max_tokens: 1_000,
    temperature: 0.2,
    response_format: { type: 'json_schema' },
  });
  expect(fleet.logLines.join('')).toContain('together/llama-of-the-test');
});

test('with no model statistics propose, and the log says why', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, {});
  expect(await resultOf(fleet, {})).toEqual({
    success: true,
    active_users: 1,
    patterns_detected: 1,
    predictions_queued: 1,
  });
  expect(fleet.logLines.join('')).toContain('Together AI is not configured');
});

test('the documents’ thresholds can be set', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { MIN_CONFIDENCE: '0.5', QUEUE_CONFIDENCE: '1' });
  expect(await resultOf(fleet, {})).toMatchObject({ patterns_detected: 1, predictions_queued: 0 });
});

test('what is wrong with the settings is told by name, before anything is connected', () => {
  expect(() => prepareWorker({ MIN_CONFIDENCE: 'much', TOGETHER_BASE_URL: 'llama' })).toThrow(
    /TOGETHER_BASE_URL: must be a URL.*\n.*MIN_CONFIDENCE: must be a number/,
  );
});
