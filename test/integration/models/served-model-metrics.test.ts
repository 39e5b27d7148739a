import {
  lead,
  lease,
  openServedModelRoom,
  score,
  type ServedModelRoom,
} from '../../support/open-served-model-room.ts';
import { until } from '../../support/until.ts';

let room: ServedModelRoom;
beforeEach(async () => {
  room = await openServedModelRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

describe('metrics', () => {
  async function text(name: string): Promise<string[]> {
    const lines = (await room.metrics.registry.getSingleMetricAsString(name)).split('\n');
    return lines.filter((line) => !line.startsWith('#'));
  }

  it('tell coverage, problems, and after enough rows the drift of what is served', async () => {
    room.bundles.promote(await room.bundles.add('1.0.0'));
    const next = await room.bundles.add('1.1.0');
    const model = await room.open();
    {
      using held = lease(model);
      await held.score(Array.from({ length: 999 }, () => ({ ...lead, job: 'pilot' })));
      expect(await text('presage_feature_drift_psi')).toEqual([]);
      await held.score([lead]);
    }
    expect(await text('presage_feature_coverage_ratio')).toEqual(
      expect.arrayContaining([
        `presage_feature_coverage_ratio_bucket{le="0.2",model="lead-conversion"} 0`,
        `presage_feature_coverage_ratio_bucket{le="0.3",model="lead-conversion"} 1000`,
        `presage_feature_coverage_ratio_count{model="lead-conversion"} 1000`,
      ]),
    );
    expect(await text('presage_feature_problems_total')).toEqual(
      expect.arrayContaining([
        'presage_feature_problems_total{model="lead-conversion",feature="job",problem="unknown_category"} 999',
        'presage_feature_problems_total{model="lead-conversion",feature="loan",problem="missing"} 1000',
      ]),
    );
    const drift = await room.metrics.featureDriftPsi.get();
    expect(drift.values.map(({ labels }) => labels.feature)).toHaveLength(19);
    // All rows are alike, the training's were not.
    expect(drift.values.filter(({ value }) => !(value > 0.02))).toEqual([]);
    const scoreDrift = await room.metrics.scoreDriftPsi.get();
    expect(scoreDrift.values).toEqual([
      { labels: { model: 'lead-conversion', version: '1.0.0' }, value: expect.any(Number) as number },
    ]);
    expect(scoreDrift.values[0]?.value).toBeGreaterThan(1);

    room.bundles.promote(next);
    await model.refresh();
    await until(() => room.caught.alive() === 1);
    expect(await text('presage_feature_drift_psi')).toEqual([]);
    expect(await text('presage_score_drift_psi')).toEqual([]);
  });

  it('leave out the golden inputs', async () => {
    room.bundles.promote(await room.bundles.add('1.0.0'));
    const model = await room.open();
    expect(await text('presage_feature_coverage_ratio')).toEqual([]);
    await score(model);
    expect(await text('presage_feature_coverage_ratio')).not.toEqual([]);
  });
});
