import { openServedModel } from '../../../shared/models/open-served-model.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../../shared/telemetry/create-metrics.ts';
import { catchThreads } from '../../support/catch-threads.ts';
import { openTestBundles } from '../../support/open-test-bundles.ts';

const warmUp = 10;
const reloads = 100;
/** A version that stayed would keep some 25 MB, all of them 2,500. */
const mostGrowthBytes = 300e6;

it('frees what it unloads: 100 reloads take no more memory than a few', async () => {
  using caught = catchThreads();
  using metrics = createMetrics();
  await using bundles = await openTestBundles();
  const versions = [await bundles.add('1.0.0'), await bundles.add('1.1.0', { intercept: 1 })];
  bundles.promote(versions[0]);
  const log = createLogger({ process: 'test', level: 'fatal' });
  const options = { modelId: 'lead-conversion', source: bundles.source, ttlSeconds: 3_600, metrics, log };
  await using model = await openServedModel({ ...options, types: ['binary_classifier'] });

  let afterWarmUp = 0;
  for (let count = 1; count <= warmUp + reloads; count += 1) {
    bundles.promote(versions[count % 2]);
    await model.refresh();
    using held = model.acquire();
    expect(held?.sha256).toBe(versions[count % 2]?.manifestSha256);
    await held?.score([{}]);
    if (count === warmUp) afterWarmUp = process.memoryUsage.rss();
  }
  expect(caught.threads).toHaveLength(1 + warmUp + reloads);
  expect(caught.alive()).toBeLessThanOrEqual(2);
  expect(process.memoryUsage.rss() - afterWarmUp).toBeLessThan(mostGrowthBytes);
});
