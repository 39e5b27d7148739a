import { appendFile } from 'node:fs/promises';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import type { ServedModel } from '../../../shared/models/served-model.ts';
import {
  lead,
  lease,
  openServedModelRoom,
  type ServedModelRoom,
} from '../../support/open-served-model-room.ts';
import { until } from '../../support/until.ts';

let room: ServedModelRoom;
beforeEach(async () => {
  room = await openServedModelRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

describe('a challenger', () => {
  const versionOf = (model: ServedModel) => model.current()?.manifest.version;

  it('may be none, and goes when it is none any more', async () => {
    const model = await room.openChallenger();
    await model.refresh();
    expect([model.current(), model.problem()]).toEqual([undefined, undefined]);
    room.bundles.shadow(await room.bundles.add('2.0.0'));
    await model.refresh();
    expect([versionOf(model), model.problem()]).toEqual(['2.0.0', undefined]);
    room.bundles.shadow(await room.bundles.add('3.0.0', { intercept: 1 }));
    await model.refresh();
    expect(versionOf(model)).toBe('3.0.0');
    room.bundles.shadow(undefined);
    await model.refresh();
    expect([model.acquire(), model.problem()]).toEqual([undefined, undefined]);
    await until(() => room.caught.alive() === 0);
    expect(await room.challengerLoads()).toEqual({ loaded: 2 });
    expect(await room.loads()).toEqual({});
    expect(room.logLines.filter((line) => line.includes('no good model'))).toEqual([]);
  });

  it('that is damaged is refused, and the one before is the challenger no more', async () => {
    room.bundles.shadow(await room.bundles.add('2.0.0'));
    const model = await room.openChallenger();
    await model.refresh();
    const broken = await room.bundles.add('3.0.0');
    await appendFile(room.bundles.pathOf(broken, 'model.onnx'), 'x');
    room.bundles.shadow(broken);
    await model.refresh();
    await model.refresh();
    expect(model.acquire()).toBeUndefined();
    expect(model.problem()).toMatch(/^version 3\.0\.0 is refused: model\.onnx has /);
    expect(await room.challengerLoads()).toEqual({ loaded: 1, refused: 2 });
    expect(await room.loads()).toEqual({});
    const told = room.logLines.filter((line) => line.includes('no good model'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('"level":"warn"');
    expect(told[0]).toContain('"alias":"challenger"');
  });

  it('stays while the registry is away', async () => {
    room.bundles.shadow(await room.bundles.add('2.0.0'));
    const model = await room.openChallenger();
    await model.refresh();
    room.bundles.shadow(new StoreUnavailableError('dynamodb', new Error('away')));
    await model.refresh();
    expect(versionOf(model)).toBe('2.0.0');
    expect(model.problem()).toContain('its challenger cannot be looked up');
  });

  it('is not measured: what it is given was measured already', async () => {
    room.bundles.shadow(await room.bundles.add('2.0.0'));
    const model = await room.openChallenger();
    await model.refresh();
    using held = lease(model);
    expect(await held.score(Array.from({ length: 1_000 }, () => lead))).toHaveLength(1_000);
    for (const metric of [
      room.metrics.featureCoverageRatio,
      room.metrics.featureProblems,
      room.metrics.featureDriftPsi,
    ]) {
      expect((await metric.get()).values).toEqual([]);
    }
  });
});
