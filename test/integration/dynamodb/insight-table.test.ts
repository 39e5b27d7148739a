import { BatchWriteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Insight } from '../../../shared/contracts/churn-insight.ts';
import { microsecondsLater } from '../../../shared/dynamodb/insight-item.ts';
import { openInsightTable, type InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { openDynamodbProxy } from '../../support/open-dynamodb-proxy.ts';
import {
  acceptedAt,
  insightOf,
  openTestInsightTable,
  type TestInsightTable,
} from '../../support/open-test-insight-table.ts';

const expiresAt = Math.floor(Date.now() / 1_000) + 90 * 86_400;

let opened: TestInsightTable;
let table: InsightTable;
beforeAll(async () => {
  opened = await openTestInsightTable();
  ({ table } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

describe('keeping', () => {
  test('stores document 002’s keys with its types', async () => {
    const insight = insightOf('stu_4532');
    expect(await table.keep(insight, expiresAt)).toEqual(insight);
    const key = { pk: { S: 'insight#stu_4532' }, sk: { S: acceptedAt } };
    const { Item } = await opened.client.send(
      new GetItemCommand({ TableName: opened.settings.insightTableName, Key: key, ConsistentRead: true }),
    );
    expect(Item).toEqual({
      ...key,
      alert_id: { S: 'low_health_score_stu_4532_1767268800123' },
      entity_id: { S: 'stu_4532' },
      prediction_type: { S: 'low_health_score' },
      risk_score: { N: '72.5' },
      explanation: { S: 'Only one session in seven days.' },
      recommendations: { L: [{ S: 'Call this week' }, { S: 'Offer another tutor' }] },
      timestamp: { S: acceptedAt },
      model_used: { S: 'bedrock-anthropic.claude-haiku-4-5-20251001-v1:0' },
      ttl: { N: String(expiresAt) },
      job_id: { S: insight.job_id },
      prompt_version: { S: '1' },
      degraded: { BOOL: false },
    });
  });

  test('a redelivery, ten of them at once, makes no second item and answers the first', async () => {
    const insight = insightOf('stu_again');
    await table.keep(insight, expiresAt);
    const later = { ...insight, explanation: 'said otherwise', risk_score: 1 };
    const answers = await Promise.all(Array.from({ length: 10 }, () => table.keep(later, expiresAt)));
    expect(answers).toEqual(answers.map(() => insight));
    expect(await opened.itemsOf('stu_again')).toHaveLength(1);
    expect(await table.find(insight)).toEqual(insight);
  });

  test('50 alerts of the same microsecond all survive, each kept twice at once', async () => {
    const insights = Array.from({ length: 50 }, (_, index) =>
      insightOf('stu_burst', { explanation: `alert ${index}` }),
    );
    const kept = await Promise.all(
      [...insights, ...insights].map((insight) => table.keep(insight, expiresAt)),
    );
    const items = await opened.itemsOf('stu_burst');
    expect(new Set(items.map((item) => item['job_id']?.S))).toEqual(
      new Set(insights.map((insight) => insight.job_id)),
    );
    expect(items.map((item) => item['sk']?.S).sort()).toEqual(
      insights.map((_, index) => microsecondsLater(acceptedAt, index)),
    );
    expect(kept.slice(50)).toEqual(kept.slice(0, 50));
    // What was moved is found again by what the job knows: the time at which its alert was accepted.
    for (const [index, insight] of insights.entries()) expect(await table.find(insight)).toEqual(kept[index]);
  });

  test('a thousand alerts of the same microsecond leave no room for one more, and the others stay', async () => {
    const others = Array.from({ length: 1_000 }, (_, index) => microsecondsLater(acceptedAt, index));
    for (let start = 0; start < others.length; start += 25) {
      const requests = others.slice(start, start + 25).map((sk) => ({
        PutRequest: { Item: { pk: { S: 'insight#stu_full' }, sk: { S: sk }, job_id: { S: 'another' } } },
      }));
      await opened.client.send(
        new BatchWriteItemCommand({ RequestItems: { [opened.settings.insightTableName]: requests } }),
      );
    }
    await expect(table.keep(insightOf('stu_full'), expiresAt)).rejects.toMatchObject({
      kind: 'permanent',
      code: 'INSIGHT_TIMESTAMPS_TAKEN',
    });
    expect(await opened.itemsOf('stu_full')).toHaveLength(1_000);
  });

  test('an answer that is lost on its way: the next run finds what the first has stored', async () => {
    await using proxy = await openDynamodbProxy(opened.emulator.url);
    using lossy = openInsightTable({ ...opened.settings, endpointUrl: proxy.url }, opened.log);
    const insight = insightOf('stu_lost');
    proxy.failNext('PutItem', { kind: 'lost-answer' });
    await expect(lossy.keep(insight, expiresAt)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(await lossy.keep({ ...insight, explanation: 'again' }, expiresAt)).toEqual(insight);
    expect(await opened.itemsOf('stu_lost')).toHaveLength(1);
  });

  test('text of any kind and an id of 256 characters are kept as they are', async () => {
    const entityId = '학생/%2F#\u{1f600}'.padEnd(256, '€');
    const insight = insightOf(entityId, { explanation: '"\n\u0000\u{1f600}', recommendations: ['ä', ' '] });
    await table.keep(insight, expiresAt);
    expect((await table.list(entityId, { limit: 1 })).insights).toEqual([insight]);
  });
});

describe('finding', () => {
  test('nothing was stored', async () => {
    expect(await table.find(insightOf('stu_nobody'))).toBeUndefined();
  });

  test('an item of ours that somebody has changed is an error, not another insight', async () => {
    const insight = insightOf('stu_changed');
    await opened.client.send(
      new PutItemCommand({
        TableName: opened.settings.insightTableName,
        Item: {
          pk: { S: 'insight#stu_changed' },
          sk: { S: acceptedAt },
          job_id: { S: insight.job_id },
        },
      }),
    );
    await expect(table.find(insight)).rejects.toMatchObject({
      kind: 'permanent',
      code: 'INSIGHT_ITEM_INVALID',
    });
  });
});

describe('listing', () => {
  test('newest first, page by page, each once', async () => {
    // As many bytes as DynamoDB answers at once, and more: its own pages end elsewhere than ours.
    const explanation = 'x'.repeat(60_000);
    const insights = Array.from({ length: 45 }, (_, index) =>
      insightOf('stu_many', { timestamp: microsecondsLater(acceptedAt, index * 1_000_000), explanation }),
    );
    for (const insight of insights.toSorted(() => Math.random() - 0.5)) await table.keep(insight, expiresAt);
    const sizes: number[] = [];
    const seen: Insight[] = [];
    let before: string | undefined;
    do {
      const page = await table.list('stu_many', { limit: 20, before });
      sizes.push(page.insights.length);
      seen.push(...page.insights);
      before = page.nextCursor ?? undefined;
    } while (before !== undefined);
    expect(sizes).toEqual([20, 20, 5]);
    expect(seen).toEqual(insights.toReversed());
  });

  test('a page that ends with the last insight has no next one', async () => {
    for (const index of [0, 1]) {
      await table.keep(insightOf('stu_two', { timestamp: microsecondsLater(acceptedAt, index) }), expiresAt);
    }
    expect((await table.list('stu_two', { limit: 1 })).nextCursor).toBe(microsecondsLater(acceptedAt, 1));
    expect((await table.list('stu_two', { limit: 2 })).nextCursor).toBeNull();
    expect(await table.list('stu_none', { limit: 2 })).toEqual({ insights: [], nextCursor: null });
  });

  test('what has expired is left out, although it is there, and does not shorten a page', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const insights = Array.from({ length: 20 }, (_, index) =>
      insightOf('stu_old', { timestamp: microsecondsLater(acceptedAt, index) }),
    );
    for (const [index, insight] of insights.entries()) {
      await table.keep(insight, index % 2 === 0 ? now - 1 : now + 3_600);
    }
    const alive = insights.filter((_, index) => index % 2 === 1).toReversed();
    const first = await table.list('stu_old', { limit: 6 });
    expect(first.insights).toEqual(alive.slice(0, 6));
    const second = await table.list('stu_old', { limit: 6, before: first.nextCursor ?? undefined });
    expect(second).toEqual({ insights: alive.slice(6), nextCursor: null });
    expect(await opened.itemsOf('stu_old')).toHaveLength(20);
  });

  test('an item that is no insight is left out with a warning that does not quote it', async () => {
    const insight = insightOf('stu_mixed');
    await table.keep(insight, expiresAt);
    await opened.client.send(
      new PutItemCommand({
        TableName: opened.settings.insightTableName,
        Item: {
          pk: { S: 'insight#stu_mixed' },
          sk: { S: '2026-02-01T00:00:00.000000Z' },
          explanation: { S: 'somebody else’s words' },
          // A number that JavaScript cannot hold exactly.
          score: { N: '12345678901234567890123' },
          ttl: { N: String(expiresAt) },
        },
      }),
    );
    opened.logLines.length = 0;
    expect((await table.list('stu_mixed', { limit: 1 })).insights).toEqual([insight]);
    expect(opened.logLines).toHaveLength(1);
    expect(JSON.parse(opened.logLines[0] ?? '')).toMatchObject({
      level: 'warn',
      items: 1,
      table: 'presage-insights',
    });
    expect(opened.logLines[0]).not.toMatch(/somebody|stu_mixed/);
  });
});
