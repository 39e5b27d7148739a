import { parseFreshReport } from '../../../../shared/models/served-model-report.ts';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const ready = {
  status: 'ready',
  model_id: 'lead-conversion',
  version: '1.0.0',
  sha256: 'a'.repeat(64),
  n_features: 19,
  loaded_at: '2026-03-01T11:00:00.000Z',
  at: '2026-03-01T11:59:50.000Z',
};
const notReady = { status: 'not_ready', model_id: 'lead-conversion', at: ready.at };

test.each([ready, { ...ready, status: 'degraded' }, notReady])('$status is read as it was told', (report) => {
  expect(parseFreshReport(JSON.stringify(report), now)).toEqual(report);
});

test('what was told half a minute ago is stale', () => {
  const told = (at: string) => parseFreshReport(JSON.stringify({ ...notReady, at }), now);
  expect(told('2026-03-01T11:59:30.000Z')).toBeUndefined();
  expect(told('2026-03-01T11:59:30.001Z')).toBeDefined();
});

test.each(['', 'null', '{}', JSON.stringify({ ...ready, version: undefined }), '{"status":"ready"'])(
  '%j is no report',
  (text) => {
    expect(parseFreshReport(text, now)).toBeUndefined();
  },
);
