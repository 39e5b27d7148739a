import type { BundleProblem } from '../../../shared/models/check-bundle.ts';
import type { Manifest } from '../../../shared/models/manifest.ts';
import type { ModelVersion, RegisteredModel } from '../../../shared/models/model-registry.ts';
import { formatTable } from '../format-table.ts';

/** What was verified, and what is wrong with it. */
export interface Verification {
  modelId: string | null;
  version: string | null;
  manifestSha256: string | null;
  problems: readonly BundleProblem[];
}

export function listOfModels(models: readonly RegisteredModel[]) {
  return {
    models: models.map(({ modelId, champion, challenger, versions }) => ({
      model_id: modelId,
      champion: champion ?? null,
      challenger: challenger ?? null,
      versions: versions.map(versionView),
    })),
  };
}

export function describeList(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return 'No model is registered.\n';
  return formatTable(
    ['MODEL', 'VERSION', 'TYPE', 'ALIAS', 'REGISTERED', 'SHA-256'],
    models.flatMap((model) =>
      model.versions.map((version) => [
        model.modelId,
        version.version,
        version.modelType,
        aliasOf(model, version.version) ?? '',
        version.registeredAt,
        version.manifestSha256.slice(0, 12),
      ]),
    ),
  );
}

export function modelInfo(model: RegisteredModel, version: ModelVersion, manifest: Manifest) {
  return {
    model_id: model.modelId,
    ...versionView(version),
    alias: aliasOf(model, version.version) ?? null,
    history: model.history,
    manifest,
  };
}

export function describeInfo(model: RegisteredModel, version: ModelVersion, manifest: Manifest): string {
  const { data, feature_columns: columns, metrics } = manifest;
  const facts: [string, string][] = [
    ['model', `${model.modelId} ${version.version}, ${manifest.model_type}`],
    ['what', manifest.description],
    ['alias', aliasOf(model, version.version) ?? 'none'],
    ['sha-256', version.manifestSha256],
    ['registered', version.registeredAt],
    ['trained', `${manifest.trained_at} on ${data.rows} rows of ${data.name} (${data.licence})`],
    ...factsOfKind(manifest),
    ...Object.entries(metrics).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('');
  const columnTable = formatTable(
    ['FEATURE', 'TYPE', 'VALUES', 'WHEN MISSING'],
    columns.map((column) => [
      column.name,
      column.type,
      column.type === 'numeric' ? `${column.min} to ${column.max}` : column.vocabulary.join(', '),
      column.missing.strategy === 'constant' ? String(column.missing.value) : column.missing.strategy,
    ]),
  );
  const history = model.history.map(({ at, action, version: changed }) => `${at}  ${action}  ${changed}\n`);
  return [lines, columnTable, ...(history.length > 0 ? [history.join('')] : [])].join('\n');
}

function factsOfKind(manifest: Manifest): [string, string][] {
  if (manifest.model_type === 'binary_classifier') {
    const { calibration, confidence } = manifest;
    return [
      ['calibration', `${calibration.method}, expected error ${calibration.calibration_error}`],
      ['confidence', confidence.method],
    ];
  }
  const { effects, outputs } = manifest;
  const { of, level, realised_coverage: coverage, rows } = outputs.uncertainty;
  return [
    ['effects', `of ${namesOf(outputs.treatments)} on ${effects.outcome}, by ${effects.estimator}`],
    ['regimes', namesOf(outputs.regimes)],
    ['uncertainty', `of ${of}: ${level} stated held ${coverage} of ${rows} rows`],
  ];
}

function namesOf(outputs: readonly { name: string }[]): string {
  return outputs.map(({ name }) => name).join(', ');
}

export function verificationReport(verifications: readonly Verification[]) {
  return {
    ok: verifications.every(({ problems }) => problems.length === 0),
    verified: verifications.map(({ modelId, version, manifestSha256, problems }) => ({
      model_id: modelId,
      version,
      sha256: manifestSha256,
      ok: problems.length === 0,
      problems,
    })),
  };
}

export function describeVerifications(verifications: readonly Verification[]): string {
  if (verifications.length === 0) return 'No model is registered.\n';
  return verifications
    .map(({ modelId, version, problems }) => {
      const name = modelId === null ? 'the bundle' : `${modelId} ${version}`;
      if (problems.length === 0) return `ok    ${name}\n`;
      return problems
        .map(({ file, problem }) => `fail  ${name}  ${describeProblem({ file, problem })}\n`)
        .join('');
    })
    .join('');
}

export function describeProblem({ file, problem }: BundleProblem): string {
  return `${file}: ${problem}`;
}

function versionView({ version, modelType, manifestSha256, registeredAt }: ModelVersion) {
  return {
    version,
    model_type: modelType,
    sha256: manifestSha256,
    registered_at: registeredAt,
  };
}

function aliasOf(
  { champion, challenger }: RegisteredModel,
  version: string,
): 'champion' | 'challenger' | undefined {
  if (version === champion) return 'champion';
  return version === challenger ? 'challenger' : undefined;
}
