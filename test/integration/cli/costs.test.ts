import { randomUUID } from 'node:crypto';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { openLedger } from '../../../shared/ledger/open-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
import { runPresage } from '../../support/run-presage.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const presage = (...argv: string[]) =>
  runPresage(argv, { REDIS_URL: process.env['TEST_REDIS_URL'], DATABASE_URL: testDatabase.url });

const openai = { provider: 'openai', model: 'gpt-4.1' } as const;
const nothingPaid = { answer: null, input_tokens: null, output_tokens: null, cost_usd: null };

describe('presage costs', () => {
  it('adds up the calls of a month by pipeline, provider and model, and no others', async () => {
    await insertLlmCalls(database.db, [
      { started_at: new Date('2026-02-01T00:00:00.000Z') },
      { started_at: new Date('2026-02-28T23:59:59.999Z'), cache_read_tokens: 5, cache_write_tokens: 7 },
      { started_at: new Date('2026-01-31T23:59:59.999Z') },
      { started_at: new Date('2026-03-01T00:00:00.000Z') },
      { started_at: new Date('2026-02-10T00:00:00Z'), ...openai, cost_usd: '0.100000001' },
      { started_at: new Date('2026-02-10T00:00:00Z'), ...openai, ...nothingPaid, state: 'lost' },
      { started_at: new Date('2026-02-10T00:00:00Z'), ...openai, ...nothingPaid, state: 'failed' },
      {
        started_at: new Date('2026-02-10T00:00:00Z'),
        queue: 'content-generation',
        model: 'own',
        cost_usd: null,
      },
    ]);
    const { exitCode, output } = await presage('costs', '--month', '2026-02', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toEqual({
      month: '2026-02',
      total_cost_usd: 0.100300001,
      calls_without_price: 1,
      costs: [
        {
          pipeline: 'churn-insight',
          provider: 'openai',
          model: 'gpt-4.1',
          calls: 1,
          lost: 1,
          input_tokens: 100,
          output_tokens: 10,
          cache_read_tokens: 0,
          cache_write_tokens: 0,
          cost_usd: 0.100000001,
          calls_without_price: 0,
        },
        {
          pipeline: 'churn-insight',
          provider: 'bedrock',
          model: 'haiku',
          calls: 2,
          lost: 0,
          input_tokens: 200,
          output_tokens: 20,
          cache_read_tokens: 5,
          cache_write_tokens: 7,
          cost_usd: 0.0003,
          calls_without_price: 0,
        },
        expect.objectContaining({
          pipeline: 'content-generation',
          model: 'own',
          calls: 1,
          cost_usd: 0,
          calls_without_price: 1,
        }),
      ],
    });

    const forPeople = await presage('costs', '--month', '2026-02');
    expect(forPeople.output).toMatch(/^churn-insight +bedrock +haiku +2 +0 +200 +20 +5 +7 +0\.000300$/m);
    expect(forPeople.output).toMatch(/^total +4 +1 +400 +40 +5 +7 +0\.100300$/m);
    expect(forPeople.output).toContain('1 of the calls are of models that the price table does not know');
  });

  it('shows this month when none is named', async () => {
    await insertLlmCalls(database.db, [{}, { started_at: new Date('2020-01-15T00:00:00Z') }]);
    const { output } = await presage('costs', '--json');
    expect(JSON.parse(output)).toMatchObject({ total_cost_usd: 0.00015, costs: [{ calls: 1 }] });
  });

  it('says so when nothing was paid', async () => {
    expect((await presage('costs', '--month', '2020-12')).output).toBe(
      'No call of a language model was paid in 2020-12.\n',
    );
    const { output } = await presage('costs', '--month', '2020-12', '--json');
    expect(JSON.parse(output)).toEqual({
      month: '2020-12',
      total_cost_usd: 0,
      calls_without_price: 0,
      costs: [],
    });
  });

  it.each(['2026', '2026-13', '2026-1', 'yesterday'])('takes no month such as %s', async (month) => {
    const { exitCode, messages } = await presage('costs', '--month', month);
    expect(exitCode).toBe(2);
    expect(messages).toContain('2026-01');
  });
});

describe('presage jobs show --answers', () => {
  it("adds the journal's calls to the job; without the flag nothing of them is shown", async () => {
    await using ledger = openLedger(database.db, 'test');
    const { id } = await ledger.accept({
      queue: 'call-time-prediction',
      payload: '{"contacts":[]}',
      priority: 0,
    });
    const startedAt = new Date('2026-02-01T00:00:00.000Z');
    await insertLlmCalls(database.db, [
      { job_id: id, ask: 2, ...openai, started_at: startedAt, finished_at: startedAt },
      {
        job_id: id,
        ask: 1,
        state: 'failed',
        error_code: 'LLM_FAILED',
        ...nothingPaid,
        started_at: startedAt,
      },
      { job_id: randomUUID(), answer: 'of another job' },
    ]);
    const shown = await presage('jobs', 'show', id, '--answers');
    expect(shown.exitCode).toBe(0);
    expect(JSON.parse(shown.output)).toMatchObject({
      job_id: id,
      answers: [
        {
          step: 'insight',
          ask: 1,
          provider: 'bedrock',
          state: 'failed',
          error_code: 'LLM_FAILED',
          answer: null,
          cost_usd: null,
        },
        {
          step: 'insight',
          ask: 2,
          provider: 'openai',
          model: 'gpt-4.1',
          state: 'answered',
          answer: '{"score":1}',
          input_tokens: 100,
          output_tokens: 10,
          cost_usd: 0.00015,
          latency_ms: 700,
          started_at: '2026-02-01T00:00:00.000Z',
        },
      ],
    });
    expect(shown.output).not.toContain('of another job');
    const withoutFlag = await presage('jobs', 'show', id);
    expect(JSON.parse(withoutFlag.output)).not.toHaveProperty('answers');
    expect(withoutFlag.output).not.toContain('score');
  });
});
