import { resolve } from 'node:path';
import type { Command } from 'commander';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { BundleProblem } from '../../../shared/models/check-bundle.ts';
import type { ModelVersion, RegisteredModel } from '../../../shared/models/model-registry.ts';
import {
  checkRegisteredManifest,
  registerBundle,
  type ModelStores,
} from '../../../shared/models/registered-bundle.ts';
import { wholeNumberArgument } from '../arguments.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { announceChange } from '../models/announce-change.ts';
import {
  describeInfo,
  describeList,
  describeProblem,
  describeVerifications,
  listOfModels,
  modelInfo,
  verificationReport,
  type Verification,
} from '../models/describe-models.ts';
import { installSamples } from '../models/install-samples.ts';
import { verifyFolder, verifyRegistered } from '../models/verify-bundle.ts';
import { withModelStores } from '../models/with-model-stores.ts';
import { describeShadowReport } from '../shadow-report/describe-shadow-report.ts';
import { shadowReport } from '../shadow-report/shadow-report.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface JsonFlag {
  json?: true;
}

interface VerifyFlags extends JsonFlag {
  dir?: string;
}

interface ShadowFlags {
  off?: true;
}

interface ShadowReportFlags extends JsonFlag {
  days: number;
}

/** The registry of models: which versions there are, and which of them answer. */
export function addModelsCommand(program: Command, context: CliContext): void {
  const models = program.command('models').description('the registry of models');
  const json = ['--json', 'print one JSON document'] as const;
  const withStores = <Value>(work: (stores: ModelStores) => Promise<Value>) =>
    withModelStores(context.environment, work);

  models
    .command('list')
    .description('every version of every model, and which of them answer')
    .option(...json)
    .action((flags: JsonFlag) => withStores((stores) => list(flags, stores, context)));
  models
    .command('info')
    .description(
      'what a version is: its inputs, data, figures; the champion if none is named, else the newest',
    )
    .argument('<id>')
    .argument('[version]')
    .option(...json)
    .action((id: string, version: string | undefined, flags: JsonFlag) =>
      withStores((stores) => info(id, version, flags, stores, context)),
    );
  models
    .command('verify')
    .description(
      'check every byte and run the golden inputs, of everything that is registered or of one bundle',
    )
    .argument('[id]', 'only this model')
    .argument('[version]', 'only this version of it')
    .option('--dir <folder>', 'a bundle in a folder instead')
    .option(...json)
    .action((id: string | undefined, version: string | undefined, flags: VerifyFlags) =>
      verify({ id, version, flags }, context),
    );
  models
    .command('register')
    .description('verify a bundle, store its files and add its version; it answers once it is promoted')
    .argument('<folder>', 'with manifest.json and the files that it names')
    .option(...json)
    .action((folder: string, flags: JsonFlag) =>
      withStores((stores) => register(folder, flags, stores, context)),
    );
  models
    .command('install-samples')
    .description('register and promote the bundles that come with Presage, if the registry is empty')
    .action(() => installSamples(context.environment, (line) => context.messages.write(line)));
  models
    .command('promote')
    .description('verify a version and let it answer')
    .argument('<id>')
    .argument('<version>')
    .action((id: string, version: string) => withStores((stores) => promote(id, version, stores, context)));
  models
    .command('rollback')
    .description('verify the version that answered before, and let it answer again')
    .argument('<id>')
    .action((id: string) => withStores((stores) => rollBack(id, stores, context)));
  models
    .command('shadow')
    .description('let a version answer beside the champion, for comparison only')
    .argument('<id>')
    .argument('[version]')
    .option('--off', 'let none')
    .action((id: string, version: string | undefined, flags: ShadowFlags) => {
      if ((version === undefined) !== (flags.off ?? false)) throw new UsageError('Give a version, or --off.');
      return withStores((stores) => shadow(id, version, stores, context));
    });
  models
    .command('shadow-report')
    .description(
      'how the challenger differs from the champion for the same leads, and which of them was right',
    )
    .argument('<id>')
    .option('--days <days>', 'how far to look back', wholeNumberArgument(1, 36_500), 30)
    .option(...json)
    .action((id: string, flags: ShadowReportFlags) =>
      withStores((stores) => reportShadow(id, flags, stores, context)),
    );
}

async function list({ json }: JsonFlag, { registry }: ModelStores, { output }: CliContext): Promise<void> {
  const models = await registry.list();
  if (json) writeJson(output, listOfModels(models));
  else output.write(describeList(models));
}

async function info(
  id: string,
  version: string | undefined,
  { json }: JsonFlag,
  stores: ModelStores,
  { output }: CliContext,
): Promise<void> {
  const model = await readModel(id, stores);
  const registered = versionOf(model, version ?? model.champion ?? model.versions.at(-1)?.version ?? '');
  const check = await checkRegisteredManifest(stores.artifacts, registered);
  if (!check.isSound) throw notSound(`${id} ${registered.version}`, check.problems);
  if (json) writeJson(output, modelInfo(model, registered, check.manifest));
  else output.write(describeInfo(model, registered, check.manifest));
}

async function verify(
  { id, version, flags }: { id: string | undefined; version: string | undefined; flags: VerifyFlags },
  context: CliContext,
): Promise<void> {
  const { dir, json } = flags;
  if (dir !== undefined && id !== undefined) throw new UsageError('Give a model or --dir, not both.');
  const verifications =
    dir === undefined
      ? await withModelStores(context.environment, (stores) => verifyAll(id, version, stores))
      : [await verifyOneFolder(resolve(context.workingDirectory, dir))];
  if (json) writeJson(context.output, verificationReport(verifications));
  else context.output.write(describeVerifications(verifications));
  const unsound = verifications.filter(({ problems }) => problems.length > 0).length;
  if (unsound > 0) throw new CommandFailed(`${unsound} of ${verifications.length} must not be served.`);
}

async function verifyAll(
  id: string | undefined,
  version: string | undefined,
  stores: ModelStores,
): Promise<Verification[]> {
  const models = id === undefined ? await stores.registry.list() : [await readModel(id, stores)];
  const verifications: Verification[] = [];
  for (const model of models) {
    for (const each of version === undefined ? model.versions : [versionOf(model, version)]) {
      const check = await verifyRegistered(stores, each);
      verifications.push({ ...each, problems: check.isSound ? [] : check.problems });
    }
  }
  return verifications;
}

async function verifyOneFolder(directory: string): Promise<Verification> {
  const check = await verifyFolder(directory);
  if (!check.isSound) {
    return { modelId: null, version: null, manifestSha256: null, problems: check.problems };
  }
  const { manifest, manifestSha256 } = check.bundle;
  return { modelId: manifest.model_id, version: manifest.version, manifestSha256, problems: [] };
}

async function register(
  folder: string,
  { json }: JsonFlag,
  stores: ModelStores,
  { output, workingDirectory }: CliContext,
): Promise<void> {
  const check = await verifyFolder(resolve(workingDirectory, folder));
  if (!check.isSound) throw notSound(folder, check.problems);
  const { manifest, manifestSha256 } = check.bundle;
  const { model_id: id, version } = manifest;
  const isNew = await registerBundle(stores, check.bundle);
  if (json) writeJson(output, { model_id: id, version, sha256: manifestSha256, registered: isNew });
  else if (!isNew) output.write(`${id} ${version} is registered already.\n`);
  else
    output.write(
      `${id} ${version} is registered; \`presage models promote ${id} ${version}\` lets it answer.\n`,
    );
}

async function promote(id: string, version: string, stores: ModelStores, context: CliContext): Promise<void> {
  const model = await readModel(id, stores);
  await requireSound(versionOf(model, version), stores);
  const isChanged = await stores.registry.promote(model, version);
  const before = model.champion === undefined ? '' : `; it was ${model.champion}`;
  context.output.write(
    isChanged
      ? `${id} ${version} is the champion${before}.\n`
      : `${id} ${version} is the champion already.\n`,
  );
  await announceChange(id, context);
}

async function rollBack(id: string, stores: ModelStores, context: CliContext): Promise<void> {
  const model = await readModel(id, stores);
  const former = model.formerChampions.at(-1);
  if (former !== undefined) await requireSound(versionOf(model, former), stores);
  const version = await stores.registry.rollBack(model);
  context.output.write(`${id} ${version} is the champion again; it was ${model.champion}.\n`);
  await announceChange(id, context);
}

async function shadow(
  id: string,
  version: string | undefined,
  stores: ModelStores,
  context: CliContext,
): Promise<void> {
  const model = await readModel(id, stores);
  if (version !== undefined) await requireSound(versionOf(model, version), stores);
  await stores.registry.setChallenger(model, version);
  context.output.write(
    version === undefined
      ? `${id} has no challenger.\n`
      : `${id} ${version} is the challenger: it answers beside ${model.champion ?? 'nothing yet'}.\n`,
  );
  await announceChange(id, context);
}

async function reportShadow(
  id: string,
  { days, json }: ShadowReportFlags,
  stores: ModelStores,
  { environment, output }: CliContext,
): Promise<void> {
  const { database: settings } = readSettings({ database: databaseSettings }, environment);
  const model = await readModel(id, stores);
  const { challenger } = model;
  const check =
    challenger === undefined ? undefined : await verifyRegistered(stores, versionOf(model, challenger));
  const problems = check === undefined || check.isSound ? [] : check.problems;
  await using database = openDatabase(settings);
  const report = await shadowReport(database.db, model, { days, problems });
  if (json) writeJson(output, report);
  else output.write(describeShadowReport(report));
}

async function readModel(id: string, { registry }: ModelStores): Promise<RegisteredModel> {
  const model = await registry.read(id);
  if (!model) throw new CommandFailed(`There is no model ${id}. \`presage models list\` shows all.`);
  return model;
}

function versionOf(model: RegisteredModel, version: string): ModelVersion {
  const found = model.versions.find((each) => each.version === version);
  if (found) return found;
  const known = model.versions.map((each) => each.version).join(', ');
  throw new CommandFailed(`${model.modelId} has no version ${version}. It has: ${known}.`);
}

async function requireSound(version: ModelVersion, stores: ModelStores): Promise<void> {
  const check = await verifyRegistered(stores, version);
  if (!check.isSound) throw notSound(`${version.modelId} ${version.version}`, check.problems);
}

function notSound(what: string, problems: readonly BundleProblem[]): CommandFailed {
  return new CommandFailed(
    [`${what} must not be served:`, ...problems.map((problem) => `  ${describeProblem(problem)}`)].join('\n'),
  );
}
