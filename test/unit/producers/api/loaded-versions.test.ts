import { loadedVersions } from '../../../../producers/api/loaded-versions.ts';
import type { ServedModelReport } from '../../../../shared/models/served-model-report.ts';

const told = { model_id: 'lead-conversion', at: '2026-01-05T12:00:00.000Z' };
const loaded = (
  version: string,
  hour: number,
  status: 'ready' | 'degraded' = 'ready',
): ServedModelReport => ({
  ...told,
  status,
  version,
  sha256: `sha-${version}`,
  n_features: 19,
  loaded_at: `2026-01-05T${String(hour).padStart(2, '0')}:00:00.000Z`,
});
const empty: ServedModelReport = { ...told, status: 'not_ready' };

test('processes without a model answer with none', () => {
  expect(loadedVersions([])).toEqual([]);
  expect(loadedVersions([empty, empty])).toEqual([]);
});

test('the version that most processes have comes first, loaded when the first of them had it', () => {
  const versions = loadedVersions([loaded('2.0.0', 9), loaded('1.0.0', 8), empty, loaded('1.0.0', 7)]);
  expect(versions).toEqual([
    {
      status: 'ready',
      model_id: 'lead-conversion',
      version: '1.0.0',
      sha256: 'sha-1.0.0',
      n_features: 19,
      loaded_at: '2026-01-05T07:00:00.000Z',
      workers: 2,
    },
    expect.objectContaining({ version: '2.0.0', workers: 1 }),
  ]);
});

test('of two that equally many have, the one that was loaded last', () => {
  const versions = loadedVersions([loaded('1.0.0', 8), loaded('2.0.0', 9)]);
  expect(versions.map(({ version }) => version)).toEqual(['2.0.0', '1.0.0']);
});

test.each([
  ['first', [loaded('1.0.0', 8, 'degraded'), loaded('1.0.0', 9)]],
  ['last', [loaded('1.0.0', 8), loaded('1.0.0', 9, 'degraded')]],
])('a version is degraded when one of its processes is, told %s', (_when, reports) => {
  expect(loadedVersions(reports)).toMatchObject([{ status: 'degraded', workers: 2 }]);
});
