import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { DynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import type { ModelSettings } from '../../../shared/config/model-settings.ts';
import { JobError, StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import type { ModelVersion, RegisteredModel } from '../../../shared/models/model-registry.ts';
import { checkRegistered, type ModelStores } from '../../../shared/models/registered-bundle.ts';
import { describeProblem } from '../models/describe-models.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('models');

/** What to do about failures that have a code of their own. */
const mends: Readonly<Record<string, string>> = {
  ARTIFACTS_ACCESS_DENIED:
    'Give these credentials s3:ListBucket on the bucket and s3:GetObject and s3:PutObject on what is in it; a folder ' +
    'must be readable by this user.',
};

/** The artifact store, and every byte of the versions that are served. */
export async function checkModels(
  dynamodb: DynamodbSettings,
  { artifacts }: ModelSettings,
  aws: AwsSettings,
): Promise<Finding[]> {
  if (!artifacts) {
    const mend = 'Set ARTIFACTS_BUCKET or ARTIFACTS_URL.';
    return [report.warn('store', 'nothing says where the files of models are: no lead can be scored', mend)];
  }
  // The vendors' libraries take a while to load, so only who uses them waits for that.
  const { openModelStores } = await import('../../../shared/models/open-model-stores.ts');
  using stores = await openModelStores({ dynamodb, aws, artifacts });
  const store = await checkStore(stores);
  // Without a registry nobody knows what to look for.
  if (store.state !== 'ok' || !dynamodb.isConfigured) return [store];
  return [store, ...(await checkServed(stores))];
}

async function checkStore({ artifacts }: ModelStores): Promise<Finding> {
  try {
    if (await artifacts.exists()) return report.ok('store', `${artifacts.url} is there`);
    return report.fail('store', `${artifacts.url} does not exist`, 'Run `presage migrate up`.');
  } catch (error) {
    return storeFailure(error, artifacts.url);
  }
}

function storeFailure(error: unknown, url: string): Finding {
  if (error instanceof StoreUnavailableError) {
    const mend = 'Start it, or correct ARTIFACTS_URL, AWS_ENDPOINT_URL_S3 or AWS_REGION.';
    return report.fail('store', `${url} does not answer`, mend);
  }
  if (!(error instanceof JobError)) throw error;
  return report.fail('store', error.message, mends[error.code] ?? 'See what the store says in its logs.');
}

async function checkServed({ registry, artifacts }: ModelStores): Promise<Finding[]> {
  let models: RegisteredModel[];
  try {
    models = await registry.list();
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    // What is wrong with DynamoDB or the table is told where these are checked.
    if (error.code !== 'REGISTRY_ITEM_INVALID') return [];
    return [report.fail('registry', error.message, 'Was its table changed by hand, or by a later Presage?')];
  }
  const served = models.flatMap(({ versions, champion, challenger }) =>
    versions.filter(({ version }) => version === champion || version === challenger),
  );
  if (served.length === 0) {
    const mend = 'Run `presage models register` and `presage models promote`.';
    return [report.warn('registry', 'no version of a model is to be served: no lead can be scored', mend)];
  }
  const findings: Finding[] = [];
  for (const version of served) findings.push(...(await checkVersion(version, artifacts)));
  return findings;
}

async function checkVersion(version: ModelVersion, artifacts: ModelStores['artifacts']): Promise<Finding[]> {
  const name = `${version.modelId} ${version.version}`;
  try {
    const check = await checkRegistered(artifacts, version);
    if (check.isSound) return [report.ok('checksums', `${name} is as it was registered`)];
    const mend = `Register the bundle again, which mends its files, or \`presage models rollback ${version.modelId}\`.`;
    return check.problems.map((problem) =>
      report.fail('checksums', `${name} ${describeProblem(problem)}`, mend),
    );
  } catch (error) {
    return [storeFailure(error, artifacts.url)];
  }
}
