import { once } from 'node:events';
import { connect } from 'node:net';
import { classify } from '../../../../shared/errors/classify.ts';
import { JobError } from '../../../../shared/errors/job-error.ts';

test('a job error is taken at its word', () => {
  const error = new JobError('permanent', 'refused', { code: 'REFUSED' });
  expect(classify(error)).toBe(error);
});

test('connection errors mean unavailable, by their code', async () => {
  const [error] = await once(connect({ host: '127.0.0.1', port: 1 }), 'error').catch((thrown: unknown) => [
    thrown,
  ]);
  expect(classify(error)).toMatchObject({ kind: 'unavailable', code: 'CONNECTION_FAILED' });
});

test('aborts and timeouts are told apart', () => {
  expect(classify(AbortSignal.abort().reason)).toMatchObject({ kind: 'cancelled' });
  expect(classify(new DOMException('late', 'TimeoutError'))).toMatchObject({
    kind: 'transient',
    code: 'DEADLINE_EXCEEDED',
  });
});

test('the words of a message mean nothing', () => {
  expect(classify(new Error('ECONNREFUSED 429 throttled permanent'))).toMatchObject({
    kind: 'transient',
    code: 'INTERNAL_ERROR',
  });
  expect(classify('a string')).toMatchObject({ code: 'INTERNAL_ERROR' });
});

test('an unexpected error keeps its message to itself', () => {
  expect(classify(new Error('+972501234567')).message).not.toContain('972');
});
