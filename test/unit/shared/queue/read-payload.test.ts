import { z } from 'zod';
import { defineQueue, payloadVersionOf } from '../../../../shared/contracts/define-queue.ts';
import { JobError, NewerPayloadError } from '../../../../shared/errors/job-error.ts';
import { readPayload } from '../../../../shared/queue/read-payload.ts';

const first = z.object({ metres: z.number() });
const second = z.object({ centimetres: z.number() });
const third = defineQueue({
  name: 'lengths',
  payload: z.object({ centimetres: z.array(z.number()).min(1) }),
  result: z.null(),
  attempts: 1,
  deadlineMs: 1_000,
  lane: 'bulk',
  upgrades: [
    (older) => ({ centimetres: first.parse(older).metres * 100 }),
    (older) => ({ centimetres: [second.parse(older).centimetres] }),
  ],
});

function refusal(payload: unknown, version: number): unknown {
  try {
    return readPayload(third, { payload, version });
  } catch (error) {
    return error;
  }
}

test('each upgrade makes one version more, and payloads of all of them are understood', () => {
  expect(payloadVersionOf(third)).toBe(3);
  expect(payloadVersionOf({})).toBe(1);
  expect(readPayload(third, { payload: { metres: 2 }, version: 1 })).toEqual({ centimetres: [200] });
  expect(readPayload(third, { payload: { centimetres: 3 }, version: 2 })).toEqual({ centimetres: [3] });
  expect(readPayload(third, { payload: { centimetres: [4] }, version: 3 })).toEqual({ centimetres: [4] });
});

test('a newer payload is another matter than a broken one', () => {
  expect(refusal({ centimetres: [4] }, 4)).toBeInstanceOf(NewerPayloadError);
  for (const [payload, version] of [
    [{ feet: 2 }, 1],
    [{ centimetres: [3] }, 2],
    [{ centimetres: [] }, 3],
  ] as const) {
    expect(refusal(payload, version)).toBeInstanceOf(JobError);
    expect(refusal(payload, version)).toMatchObject({ kind: 'invalid-input', code: 'INVALID_PAYLOAD' });
  }
});
