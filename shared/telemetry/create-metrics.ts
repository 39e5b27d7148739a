import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics that several kinds of process write. Times are in seconds; ids are never labels. */
export interface Metrics extends Disposable {
  registry: Registry;
  jobs: Counter<'queue' | 'outcome'>;
  jobWaitSeconds: Histogram<'queue'>;
  jobRunSeconds: Histogram<'queue'>;
  circuitState: Gauge<'circuit'>;
  cacheRequests: Counter<'cache' | 'outcome'>;
  endpointRequests: Counter<'outcome'>;
  llmRequests: Counter<'provider' | 'model' | 'outcome'>;
  llmTokens: Counter<'provider' | 'model' | 'kind'>;
  llmCostUsd: Counter<'provider' | 'model'>;
  webhookDeliveries: Counter<'sender' | 'outcome'>;
  degradedAnswers: Counter<'queue'>;
  patternProposals: Counter<'proposed_by' | 'outcome'>;
  patternsDetected: Counter;
  predictionsQueued: Counter;
  predictionsScored: Counter<'confidence' | 'outcome'>;
  sweeps: Counter<'outcome'>;
  httpRequestSeconds: Histogram<'route' | 'status'>;
  modelLoads: Counter<'outcome'>;
  challengerLoads: Counter<'outcome'>;
  shadowRows: Counter<'model' | 'version' | 'outcome'>;
  featureCoverageRatio: Histogram<'model'>;
  featureProblems: Counter<'model' | 'feature' | 'problem'>;
  featureDriftPsi: Gauge<'model' | 'version' | 'feature'>;
  scoreDriftPsi: Gauge<'model' | 'version'>;
  servingBatchRows: Histogram<'model'>;
  servingWaitingRows: Gauge<'model'>;
  servingQueueFull: Counter<'model'>;
}

const jobSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** One registry per process. Disposing it stops the collection of Node's own metrics. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    jobs: new Counter({
      name: 'presage_jobs_total',
      help: 'Jobs by how an attempt at them ended: completed, failed, cancelled, retried, waiting, left (to a newer worker), parked, released, superseded',
      labelNames: ['queue', 'outcome'],
      registers,
    }),
    jobWaitSeconds: new Histogram({
      name: 'presage_job_wait_seconds',
      help: 'From the time a job was due to the start of its first attempt',
      labelNames: ['queue'],
      buckets: jobSeconds,
      registers,
    }),
    jobRunSeconds: new Histogram({
      name: 'presage_job_run_seconds',
      help: 'How long one attempt took',
      labelNames: ['queue'],
      buckets: jobSeconds,
      registers,
    }),
    circuitState: new Gauge({
      name: 'presage_circuit_state',
      help: 'State of a circuit breaker: 0 closed, 1 half open, 2 open',
      labelNames: ['circuit'],
      registers,
    }),
    cacheRequests: new Counter({
      name: 'presage_cache_requests_total',
      help: 'Cache look-ups by outcome: hit, miss, error',
      labelNames: ['cache', 'outcome'],
      registers,
    }),
    endpointRequests: new Counter({
      name: 'presage_endpoint_requests_total',
      help: 'Calls of the SageMaker endpoint by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    llmRequests: new Counter({
      name: 'presage_llm_requests_total',
      help: 'Calls of language models by outcome: ok, invalid, rate-limited, timeout, refused, access-denied, error, rejected, cancelled, lost, replayed',
      labelNames: ['provider', 'model', 'outcome'],
      registers,
    }),
    llmTokens: new Counter({
      name: 'presage_llm_tokens_total',
      help: 'Tokens that language models counted, by kind: input, output, cache_read, cache_write',
      labelNames: ['provider', 'model', 'kind'],
      registers,
    }),
    llmCostUsd: new Counter({
      name: 'presage_llm_cost_usd_total',
      help: 'What answered calls of language models cost, in US dollars by the price table',
      labelNames: ['provider', 'model'],
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'presage_webhook_deliveries_total',
      help: 'Deliveries of webhooks by sender and outcome',
      labelNames: ['sender', 'outcome'],
      registers,
    }),
    degradedAnswers: new Counter({
      name: 'presage_degraded_answers_total',
      help: 'Answers that a baseline gave because no model could',
      labelNames: ['queue'],
      registers,
    }),
    patternProposals: new Counter({
      name: 'presage_pattern_proposals_total',
      help: 'Proposed patterns by who proposed them (model, statistics) and what became of them: detected, doubtful, refuted, same, malformed, unknown_activity, too_many',
      labelNames: ['proposed_by', 'outcome'],
      registers,
    }),
    patternsDetected: new Counter({
      name: 'presage_patterns_detected_total',
      help: "Patterns that the users' own days confirmed",
      registers,
    }),
    predictionsQueued: new Counter({
      name: 'presage_predictions_queued_total',
      help: 'Predictions whose page is made ahead of time',
      registers,
    }),
    predictionsScored: new Counter({
      name: 'presage_predictions_scored_total',
      help: 'Predictions whose window has passed, by stated confidence (tenths, for example 0.7-0.8) and outcome: came_true, did_not, not_applicable',
      labelNames: ['confidence', 'outcome'],
      registers,
    }),
    sweeps: new Counter({
      name: 'presage_sweeps_total',
      help: 'Ticks of pattern detection by outcome: success, incomplete (their time was over)',
      labelNames: ['outcome'],
      registers,
    }),
    httpRequestSeconds: new Histogram({
      name: 'presage_http_request_seconds',
      help: 'HTTP requests by route pattern and status',
      labelNames: ['route', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    modelLoads: new Counter({
      name: 'presage_model_loads_total',
      help: 'Tries to load another version of a model by outcome: loaded, refused, unavailable',
      labelNames: ['outcome'],
      registers,
    }),
    challengerLoads: new Counter({
      name: 'presage_challenger_loads_total',
      help: 'The same for versions that answer beside the champion, for comparison only',
      labelNames: ['outcome'],
      registers,
    }),
    shadowRows: new Counter({
      name: 'presage_shadow_rows_total',
      help: 'Rows that a challenger was to score beside the champion, by outcome: compared, skipped, failed',
      labelNames: ['model', 'version', 'outcome'],
      registers,
    }),
    featureCoverageRatio: new Histogram({
      name: 'presage_feature_coverage_ratio',
      help: 'Share of the columns for which a scored row had a usable value of its own',
      labelNames: ['model'],
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
      registers,
    }),
    featureProblems: new Counter({
      name: 'presage_feature_problems_total',
      help: 'Values that a model could not be given as they came: missing, not_finite, invalid, unknown_category, out_of_range',
      labelNames: ['model', 'feature', 'problem'],
      registers,
    }),
    featureDriftPsi: new Gauge({
      name: 'presage_feature_drift_psi',
      help: 'Population stability index of what a model is given, against its training rows',
      labelNames: ['model', 'version', 'feature'],
      registers,
    }),
    scoreDriftPsi: new Gauge({
      name: 'presage_score_drift_psi',
      help: 'Population stability index of the probabilities that a model answers, against its training rows',
      labelNames: ['model', 'version'],
      registers,
    }),
    servingBatchRows: new Histogram({
      name: 'presage_serving_batch_rows',
      help: 'Rows of requests that a model ran together',
      labelNames: ['model'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048],
      registers,
    }),
    servingWaitingRows: new Gauge({
      name: 'presage_serving_waiting_rows',
      help: 'Rows of requests that wait for a model to run them',
      labelNames: ['model'],
      registers,
    }),
    servingQueueFull: new Counter({
      name: 'presage_serving_queue_full_total',
      help: 'Requests that were refused because too many rows waited for the model',
      labelNames: ['model'],
      registers,
    }),
    [Symbol.dispose]() {
      registry.clear();
    },
  };
}
