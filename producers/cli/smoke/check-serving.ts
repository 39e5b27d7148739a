import { exampleFeatures } from '../../../shared/api-contract/example-features.ts';
import { causalPredictionSchema } from '../../../shared/api-contract/model-prediction.ts';
import { modelInfoSchema, type DescribedModel } from '../../../shared/api-contract/served-model-info.ts';
import { servedModelsHealthSchema, servedModelsSchema } from '../../../shared/api-contract/served-models.ts';
import { reporterFor, type Finding } from '../doctor/finding.ts';
import { findOut } from './find-out.ts';
import type { FleetApi } from './open-fleet-api.ts';
import type { SmokeDocument } from './smoke-document.ts';
import { WrongAnswer } from './wrong-answer.ts';

const subject = '003';

/** The model whose columns the document's example has; any other fills in what the example lacks. */
const preferredId = 'macro-effects';
const unknownPath = '/predict/presage-smoke-unknown';
const modelType = 'hybrid_causal_model';

/** The documented fields and no others. */
const predictionSchema = causalPredictionSchema.strict();

/** Document 003: the models answer the document's example, alone and in an array; what is wrong or unknown is refused. */
export const checkServing: SmokeDocument = async (_api, { models: served }) => {
  if (!served) {
    return [
      reporterFor(subject).warn('models', 'skipped: nobody said where they answer', 'Give --models-url.'),
    ];
  }
  const health = await checkHealth(served);
  if (health.state === 'fail') return [health];
  const { finding, modelId } = await findModel(served);
  const refused = findOut(subject, 'unknown model', async ({ ok }) => {
    await served.askRefused({ path: unknownPath, body: exampleFeatures }, 404, 'NOT_FOUND');
    return ok('a model that is not registered is 404');
  });
  const asked = modelId === undefined ? [] : await checkModel(served, modelId);
  return [health, finding, ...asked, await refused];
};

function checkHealth(served: FleetApi): Promise<Finding> {
  return findOut(subject, 'health', async ({ ok, warn }) => {
    const expected = { schema: servedModelsHealthSchema, statuses: [200, 503] };
    const { status, models } = (await served.ask({ path: '/health' }, expected)).body;
    const told = models.map(({ model_id, version, status: of }) =>
      [model_id, version, of].filter((part) => part !== null).join(' '),
    );
    const finding = told.length === 0 ? 'no model is registered' : told.join(', ');
    const mend = 'presage models list says which versions there are, presage models verify what is wrong.';
    if (status === 'unhealthy') throw new WrongAnswer(`no model answers: ${finding}`, mend);
    return status === 'healthy' ? ok(finding) : warn(finding, mend);
  });
}

/** What answers, and which of it the document's example can be given. */
async function findModel(served: FleetApi): Promise<{ finding: Finding; modelId?: string }> {
  let modelId: string | undefined;
  const finding = await findOut(subject, 'models', async ({ ok, warn }) => {
    const { models } = (await served.ask({ path: '/models' }, { schema: servedModelsSchema })).body;
    const ids = models.filter(({ model_type }) => model_type === modelType).map(({ model_id }) => model_id);
    modelId = ids.find((id) => id === preferredId) ?? ids[0];
    const told = models.map(({ model_id, version }) => `${model_id} ${version}`).join(', ');
    if (modelId !== undefined) return ok(told);
    return warn(
      `${told || 'none'}: no ${modelType} answers, so that the example is asked of none`,
      `Promote one: presage models promote ${preferredId} VERSION.`,
    );
  });
  return modelId === undefined ? { finding } : { finding, modelId };
}

async function checkModel(served: FleetApi, modelId: string): Promise<Finding[]> {
  let described: DescribedModel | undefined;
  const info = await findOut(subject, 'info', async ({ ok }) => {
    const { body } = await served.ask({ path: `/models/${modelId}/info` }, { schema: modelInfoSchema });
    described = body;
    const { version, n_features, treatments, regimes } = body;
    return ok(
      `${modelId} ${version}: ${n_features} features, ${treatments?.length ?? 0} treatments, ${regimes?.length ?? 0} regimes`,
    );
  });
  if (!described) return [info];
  const model = described;
  const row = { ...requiredOf(model), ...exampleFeatures };
  const path = `/predict/${modelId}`;
  const findings = await Promise.all([
    findOut(subject, 'predict', async ({ ok }) => ok(await predict(served, model, row, 1))),
    findOut(subject, 'several rows', async ({ ok }) => ok(await predict(served, model, [row, row], 2))),
    findOut(subject, 'not valid', async ({ ok }) => {
      await served.askRefused({ path, body: {} }, 422, 'VALIDATION_ERROR');
      return ok('a row without features is refused with 422');
    }),
  ]);
  return [info, ...findings];
}

/** What the model fills in by no strategy: the value of an ordinary row. */
function requiredOf({ feature_columns: columns }: DescribedModel): Record<string, unknown> {
  const required = columns.filter(({ missing }) => missing === 'reject');
  return Object.fromEntries(
    required.map((column) => [column.name, column.type === 'numeric' ? column.mean : column.vocabulary[0]]),
  );
}

/** Answers what came back, in words for people. */
async function predict(
  served: FleetApi,
  { model_id: modelId, n_features: features, treatments = [], regimes = [] }: DescribedModel,
  body: unknown,
  rows: number,
): Promise<string> {
  const answer = await served.ask(
    { path: `/predict/${modelId}?missing=impute`, body },
    { schema: predictionSchema },
  );
  const { n_samples, n_features, causal_effects, regime_probabilities, dominant_regime, uncertainty } =
    answer.body;
  const isFlat = rows === 1 || treatments.length === 1;
  const lengths: [field: string, found: number, expected: number][] = [
    ['n_samples', n_samples, rows],
    ['n_features', n_features, features],
    ['causal_effects', causal_effects.flat().length, rows * treatments.length],
    ['the lists of causal_effects', causal_effects.filter(Array.isArray).length, isFlat ? 0 : rows],
    ['regime_probabilities', regime_probabilities.length, rows],
    ['the numbers of regime_probabilities', regime_probabilities.flat().length, rows * regimes.length],
    ['dominant_regime', dominant_regime.length, rows],
    ['uncertainty', uncertainty.length, rows],
  ];
  const wrong = lengths.find(([, found, expected]) => found !== expected);
  if (wrong) {
    const [field, found, expected] = wrong;
    throw new WrongAnswer(
      `${field}: ${found} in place of ${expected}`,
      'Was another version promoted just now? Else are the models served by the version of this command?',
    );
  }
  const likeliest = dominant_regime.map((place) => regimes[place]?.name ?? `regime ${place}`);
  return `n_samples ${n_samples}, n_features ${n_features}, ${likeliest.join(' and ')}`;
}
