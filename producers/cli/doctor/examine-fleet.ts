import { allSettings } from '../../../shared/config/all-settings.ts';
import {
  ConfigurationError,
  readSettings,
  type Environment,
  type SettingProblem,
} from '../../../shared/config/read-settings.ts';
import { checkCacheRedis } from './check-cache-redis.ts';
import { checkDynamodb } from './check-dynamodb.ts';
import { checkModels } from './check-models.ts';
import { checkMysql } from './check-mysql.ts';
import { checkNode } from './check-node.ts';
import { checkRedis } from './check-redis.ts';
import { checkSagemaker } from './check-sagemaker.ts';
import { checkTextGeneration } from './check-text-generation.ts';
import { checkTogether } from './check-together.ts';
import { reporterFor, type Finding } from './finding.ts';
import { listSchedules } from './list-schedules.ts';

export interface ExamineOptions {
  /** Whether to make real calls that may cost money. */
  deep: boolean;
}

/** Each check bounds its own steps; this is for a server that answers each of them, but slowly. */
const subjectWithinMs = 8_000;

/**
 * Checks everything that the configuration names, all at once. Never throws: what goes wrong is a finding.
 * What the configuration names wrongly is a finding too, and the rest is checked nevertheless.
 */
export async function examineFleet(environment: Environment, { deep }: ExamineOptions): Promise<Finding[]> {
  const { settings, findings: configuration } = readConfiguration(environment);
  const { redis, cacheRedis, database, sagemaker, textGeneration, together, dynamodb, models, schedules } =
    settings;
  await loadLibraries(settings);
  const checked = await Promise.all([
    examine('redis', redis, checkRedis),
    examine('cache redis', cacheRedis, checkCacheRedis),
    examine('mysql', database, checkMysql),
    examine('sagemaker', sagemaker, ({ callTime, aws }) => checkSagemaker(callTime, aws, deep)),
    examine('llm', textGeneration, (parts) => checkTextGeneration(parts, deep)),
    examine('together', together, (parts) => checkTogether(parts, deep)),
    examine('dynamodb', dynamodb, ({ dynamodb: table, aws }) => checkDynamodb(table, aws)),
    examine('models', models, (parts) => checkModels(parts.dynamodb, parts.model, parts.aws)),
  ]);
  const due = schedules ? listSchedules(schedules.value) : [];
  return [checkNode(process.versions.node), ...configuration, ...checked.flat(), ...due];
}

/**
 * Loads the largest libraries that checks need. On a busy machine that holds up this process for seconds: a server that
 * was asked meanwhile would seem to give no answer in time.
 */
async function loadLibraries({
  dynamodb,
  models,
}: Pick<ReturnType<typeof readConfiguration>['settings'], 'dynamodb' | 'models'>): Promise<void> {
  if (dynamodb?.value.dynamodb.isConfigured) await import('../../../shared/dynamodb/prepare-tables.ts');
  if (!models?.value.model.artifacts) return;
  await import('../../../shared/models/open-model-stores.ts');
  if (models.value.model.artifacts.kind === 'bucket') {
    await import('../../../shared/models/artifact-bucket.ts');
  }
}

/** What can be read of the configuration, each part by itself, and what is wrong with the rest. */
function readConfiguration(environment: Environment) {
  const report = reporterFor('configuration');
  const problems = new Map<string, SettingProblem>();
  function attempt<Value>(read: () => Value): { value: Value } | undefined {
    try {
      return { value: read() };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      // Several groups may read one variable.
      for (const problem of error.problems) problems.set(`${problem.variable} ${problem.problem}`, problem);
      return undefined;
    }
  }
  attempt(() => readSettings(allSettings, environment));
  const settings = {
    redis: attempt(() => readSettings({ redis: allSettings.redis }, environment).redis),
    cacheRedis: attempt(() => readSettings({ cacheRedis: allSettings.cacheRedis }, environment).cacheRedis),
    database: attempt(() => readSettings({ database: allSettings.database }, environment).database),
    sagemaker: attempt(() =>
      readSettings({ callTime: allSettings.callTime, aws: allSettings.aws }, environment),
    ),
    textGeneration: attempt(() =>
      readSettings(
        {
          vendors: allSettings.vendors,
          insight: allSettings.insight,
          content: allSettings.content,
          text: allSettings.textGeneration,
          aws: allSettings.aws,
        },
        environment,
      ),
    ),
    together: attempt(() =>
      readSettings({ patterns: allSettings.patterns, text: allSettings.textGeneration }, environment),
    ),
    schedules: attempt(() => readSettings({ schedules: allSettings.schedules }, environment).schedules),
    dynamodb: attempt(() =>
      readSettings({ dynamodb: allSettings.dynamodb, aws: allSettings.aws }, environment),
    ),
    models: attempt(() =>
      readSettings(
        { dynamodb: allSettings.dynamodb, model: allSettings.model, aws: allSettings.aws },
        environment,
      ),
    ),
  };
  const findings =
    problems.size === 0
      ? [report.ok('variables', 'complete and well formed')]
      : [...problems.values()].map(({ variable, problem }) =>
          report.fail(variable, problem, 'See .env.example.'),
        );
  return { settings, findings };
}

/** @param part absent when the configuration of it cannot be read: that is a finding of its own */
async function examine<Settings>(
  subject: string,
  part: { value: Settings } | undefined,
  check: (settings: Settings) => Promise<Finding[]>,
): Promise<Finding[]> {
  if (!part) return [];
  const report = reporterFor(subject);
  const { promise: late, resolve } = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    const finding = `not done after ${subjectWithinMs / 1_000} s`;
    resolve([report.fail('check', finding, 'It answers, but too slowly: look at its load.')]);
  }, subjectWithinMs);
  try {
    return await Promise.race([check(part.value), late]);
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return [report.fail('check', `could not be made (${name})`, 'This is a fault of Presage: report it.')];
  } finally {
    clearTimeout(timer);
  }
}
