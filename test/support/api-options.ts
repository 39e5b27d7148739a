import type { ApiOptions } from '../../producers/api/build-server.ts';
import { createBacklogMeter } from '../../producers/api/create-backlog-meter.ts';
import { createLegacyCircuit } from '../../producers/api/create-legacy-circuit.ts';
import { findCallTime } from '../../producers/api/find-call-time.ts';
import { createLeadModelReader } from '../../producers/api/lead-model-reader.ts';
import { createPageReader } from '../../producers/api/page-reader.ts';
import { createPredictionReader } from '../../producers/api/prediction-reader.ts';
import { createBulkScoreReader } from '../../producers/api/read-bulk-scores.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { createQueueLimit } from '../../shared/queue/create-queue-limit.ts';
import type { TestFleet } from './open-test-fleet.ts';

/** What the API is built from, on a test's own stores; no keys unless the test gives some. */
export function apiOptions(fleet: TestFleet, changes: Partial<ApiOptions> = {}): ApiOptions {
  return {
    ...fleet,
    access: { keys: [], trustedNetwork: false, corsOrigins: [], requestsPerMinute: 60_000 },
    webhook: { settings: { standardSecrets: [], eventBridgeKeys: [], topicArns: [] } },
    insightTable: { list: () => Promise.reject(new Error('this test has no insight table')) },
    queues: [callTimePrediction.name],
    queueLimit: createQueueLimit(fleet.ledger, 100),
    stopping: new AbortController().signal,
    pages: createPageReader({
      db: fleet.database.db,
      redis: fleet.redis.client,
      metrics: fleet.metrics,
      log: fleet.log,
    }),
    predictions: createPredictionReader(fleet.database.db),
    findCallTime: (phone) => findCallTime(fleet.database.db, phone),
    readBulkScores: createBulkScoreReader({ db: fleet.database.db, ledger: fleet.ledger }),
    readLeadModels: createLeadModelReader(fleet),
    measureBacklog: createBacklogMeter({ ...fleet, jobsAtOnce: 10 }),
    legacyCircuit: createLegacyCircuit(fleet),
    registry: fleet.metrics.registry,
    checkReadiness: async () => ({ mysql: (await fleet.database.isUp()) ? 'ok' : 'failed' }),
    ...changes,
  };
}
