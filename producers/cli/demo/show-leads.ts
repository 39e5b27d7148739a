import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { leadScoresSchema, leadScoring, type LeadScores } from '../../../shared/contracts/lead-scoring.ts';
import { formatTable } from '../format-table.ts';
import type { Fleet } from '../start-fleet.ts';
import { askApi } from './ask-api.ts';
import { indented } from './indented.ts';
import { runCommand } from './run-command.ts';

const sampleFile = join(import.meta.dirname, 'sample-leads/sample-leads.csv');
const sampleLeads = 200;
const unknownLead = 'lead-999';
const likeliestShown = 5;
const leadsThroughApi = ['lead-186', 'lead-200'];
const waitMs = 30_000;

type Say = (line?: string) => void;

/**
 * Steps 11 to 13: leads are imported and scored through two doors. Of one hardly anything is known, and one does not
 * exist.
 *
 * @param idsFile is written
 */
export async function showLeads(fleet: Fleet, idsFile: string, say: Say): Promise<void> {
  say();
  say(
    `11. presage leads import sample-leads.csv   (${sampleLeads} leads of a bank's campaign, without names)`,
  );
  say(indented(await runCommand(fleet, ['leads', 'import', sampleFile])));

  const ids = Array.from({ length: sampleLeads }, (_, place) => `lead-${String(place + 1).padStart(3, '0')}`);
  await writeFile(idsFile, [...ids, unknownLead, ''].join('\n'));
  say();
  say(
    '12. presage enqueue lead-scoring --file lead-ids.txt --wait   (all of them, and one that does not exist)',
  );
  const command = ['enqueue', leadScoring.name, '--file', idsFile, `--wait=${waitMs}`];
  showScores(leadScoresSchema.parse(JSON.parse(await runCommand(fleet, command))), say);

  say();
  say(`13. POST /ai/advanced-ml/predict-batch with ${JSON.stringify(leadsThroughApi)}`);
  await showAnswer(fleet, say);
}

function showScores(result: LeadScores, say: Say): void {
  const { predictions, errors, model_id, model_version, calibration_metadata: calibration } = result;
  const ranked = predictions.toSorted((one, other) => other.probability - one.probability);
  const shown = [
    ...ranked.slice(0, likeliestShown),
    ...ranked.slice(likeliestShown).filter(({ degraded }) => degraded),
    ...ranked.slice(-1),
  ];
  const rows = [...new Set(shown)].map((prediction) => [
    prediction.lead_id,
    prediction.probability.toFixed(3),
    prediction.confidence.toFixed(3),
    prediction.feature_coverage.toFixed(2),
    prediction.degraded ? 'degraded' : '',
  ]);
  say(indented(formatTable(['LEAD', 'PROBABILITY', 'CONFIDENCE', 'COVERAGE', ''], rows)));
  for (const { lead_id, code, message } of errors) say(`   ${lead_id}  error ${code}: ${message}`);
  const degraded = predictions.filter((prediction) => prediction.degraded).length;
  say(
    `   ${predictions.length} scores (${degraded} degraded), ${errors.length} errors; the likeliest are shown, what`,
  );
  say('   is degraded, and the least likely. Degraded: too little is known of the lead.');
  say(
    `   ${model_id} ${model_version}, calibration ${calibration.method}, calibration error ` +
      calibration.calibration_error.toFixed(3),
  );
}

async function showAnswer(fleet: Fleet, say: Say): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(leadsThroughApi);
  const answer = await askApi(fleet, '/ai/advanced-ml/predict-batch', { method: 'POST', headers, body });
  const { predictions, model_sha256, schema_version } = leadScoresSchema.parse(answer);
  for (const prediction of predictions) say(`   ${JSON.stringify(prediction)}`);
  say(`   schema ${schema_version}, model ${model_sha256}`);
}
