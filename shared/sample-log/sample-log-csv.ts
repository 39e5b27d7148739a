import { makeSampleLog, type SampleLogOptions } from './make-sample-log.ts';

/** A sample log as `presage activity import` and `presage backtest` take it, in parts: the titles, then user by user. */
export function* sampleLogCsv(options: SampleLogOptions): Generator<string> {
  yield 'user_id,activity_type,occurred_at,timezone\n';
  for (const { userId, events } of makeSampleLog(options)) {
    yield events
      .map(({ activityType, occurredAtMs, timezone }) =>
        [userId, activityType, new Date(occurredAtMs).toISOString(), timezone].join(','),
      )
      .map((line) => `${line}\n`)
      .join('');
  }
}
