import { v4, v7 } from 'uuid';
import { acceptedAt } from '../../../../workers/churn-insight/accepted-at.ts';

const msecs = Date.parse('2026-11-22T11:00:00.123Z');

describe('acceptedAt', () => {
  it('reads the instant that the id was made at', () => {
    const { epochMs, timestamp } = acceptedAt(v7({ msecs }));
    expect(epochMs).toBe(msecs);
    expect(timestamp).toMatch(/^2026-11-22T11:00:00\.123\d{3}Z$/);
  });

  it('is the same for every run of a job', () => {
    const id = v7();
    expect(acceptedAt(id)).toEqual(acceptedAt(id.toUpperCase()));
  });

  it('keeps its six digits when they are zeros', () => {
    expect(acceptedAt('00000000-0000-7000-8000-000000000000').timestamp).toBe('1970-01-01T00:00:00.000000Z');
    expect(acceptedAt('00000000-0001-7000-8000-000000000007').timestamp).toBe('1970-01-01T00:00:00.001007Z');
  });

  it('mostly tells jobs of one millisecond apart', () => {
    const instants = new Set(Array.from({ length: 100 }, () => acceptedAt(v7({ msecs })).timestamp));
    expect(instants.size).toBeGreaterThan(80);
  });

  it('refuses ids that hold no time', () => {
    expect(() => acceptedAt(v4())).toThrow('no UUIDv7');
    expect(() => acceptedAt('')).toThrow('no UUIDv7');
  });
});
