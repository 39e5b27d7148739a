import { isDeepStrictEqual } from 'node:util';
import { leadModelHealthSchema, leadModelsSchema } from '../../../shared/api-contract/lead-models.ts';
import { leadPredictionsSchema } from '../../../shared/api-contract/lead-predictions.ts';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import { exampleLeadIds, maxLeadsPerBatch, type LeadScores } from '../../../shared/contracts/lead-scoring.ts';
import type { Finding } from '../doctor/finding.ts';
import { findOut } from './find-out.ts';
import type { FleetApi } from './open-fleet-api.ts';
import type { SmokeDocument } from './smoke-document.ts';
import { WrongAnswer } from './wrong-answer.ts';

const subject = '004';
const path = '/ai/advanced-ml/predict-batch';
const legacyPath = '/ai/advanced-ml-legacy/predict-batch';

/** Document 004: its leads are scored in both forms and by both routes; what is too much or wrong is refused. */
export const checkLeads: SmokeDocument = (api) =>
  Promise.all([
    findOut(subject, 'health', async ({ ok, warn }) => {
      const { body } = await api.ask({ path: '/ai/advanced-ml/health' }, { schema: leadModelHealthSchema });
      const { ready, degraded, not_ready } = body.workers;
      const told = `${body.model_id} ${body.version}, ${ready} workers ready, ${degraded} degraded, ${not_ready} not ready`;
      if (body.status === 'healthy') return ok(told);
      return warn(told, 'The logs of the workers lead-scoring say why; so does presage models verify.');
    }),
    findOut(subject, 'models', async ({ ok }) => {
      const { body } = await api.ask({ path: '/ai/advanced-ml/models' }, { schema: leadModelsSchema });
      return ok(body.models.map(({ model_id, version }) => `${model_id} ${version}`).join(', '));
    }),
    findOut(subject, 'predict-batch', async ({ ok, warn }) => {
      const raw = await predict(api, exampleLeadIds);
      const wrapped = await predict(api, { lead_ids: exampleLeadIds });
      if (raw.model_sha256 === wrapped.model_sha256 && !isDeepStrictEqual(scoresOf(raw), scoresOf(wrapped))) {
        throw new WrongAnswer(
          'the array and the object with lead_ids have other scores',
          'Did the leads change just now? Else presage models verify.',
        );
      }
      return judge(raw, { ok, warn });
    }),
    findOut(subject, 'legacy route', async ({ ok, warn }) => {
      const { body, headers } = await api.ask(
        { path: legacyPath, body: exampleLeadIds },
        { schema: leadPredictionsSchema.or(problemSchema), statuses: [200, 404] },
      );
      if ('code' in body) return ok('switched off (AI_ENABLE_LEGACY_ADVANCED_ML)');
      if (headers.get('deprecation') === null) {
        throw new WrongAnswer('the header Deprecation is missing', 'Does a proxy take it away?');
      }
      requireEveryLead(body);
      return judge(body, { ok, warn });
    }),
    findOut(subject, 'too many', async ({ ok }) => {
      const tooMany = Array.from({ length: maxLeadsPerBatch + 1 }, (_, place) => `lead_${place + 1}`);
      await api.askRefused({ path, body: tooMany }, 413, 'PAYLOAD_TOO_LARGE');
      return ok(`${tooMany.length} leads are refused with 413`);
    }),
    findOut(subject, 'not valid', async ({ ok }) => {
      await api.askRefused({ path, body: { lead_ids: 5 } }, 422, 'VALIDATION_ERROR');
      return ok('{"lead_ids":5} is refused with 422');
    }),
  ]);

async function predict(api: FleetApi, body: unknown): Promise<LeadScores> {
  const answer = await api.ask({ path, body }, { schema: leadPredictionsSchema });
  requireEveryLead(answer.body);
  return answer.body;
}

function requireEveryLead({ predictions, errors }: LeadScores): void {
  const ids = [...predictions, ...errors].map(({ lead_id }) => lead_id);
  if (ids.toSorted().join() === exampleLeadIds.toSorted().join()) return;
  throw new WrongAnswer(
    `${ids.length} leads came back for ${exampleLeadIds.length}`,
    'Every lead must come back once: is the worker of the same version as this command?',
  );
}

function scoresOf({ predictions, errors }: LeadScores): unknown {
  return { predictions, errors };
}

/** What became of the leads; that they are unknown says nothing against the fleet. */
function judge(
  { predictions, errors, model_id, model_version }: LeadScores,
  { ok, warn }: { ok(finding: string): Finding; warn(finding: string, mend: string): Finding },
): Finding {
  const scored = predictions.map(({ lead_id, probability }) => `${lead_id} ${probability.toFixed(3)}`);
  const told = [...scored, ...errors.map(({ lead_id, code }) => `${lead_id} ${code}`)].join(', ');
  const finding = `${told}, by ${model_id} ${model_version}`;
  if (scored.length > 0) return ok(finding);
  return warn(
    `${finding}: it answers, but had nothing to score`,
    'Import leads with these ids to see scores: presage leads import F.csv.',
  );
}
