import { readFileSync } from 'node:fs';
import type { z } from 'zod';

export interface SettingProblem {
  variable: string;
  problem: string;
}

/** Everything that is wrong with the environment, at once and by name. */
export class ConfigurationError extends Error {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(
      [
        'The environment is not usable:',
        ...problems.map(({ variable, problem }) => `  ${variable}: ${problem}`),
        '.env.example describes every variable.',
      ].join('\n'),
    );
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that belong together, and what a process gets from them. */
export interface SettingGroup<Settings> {
  variables: readonly string[];
  schema: z.ZodType<Settings>;
}

/**
 * Declares a group of variables.
 *
 * @param shape each variable's own rule
 * @param build turns the values into settings; reports what is wrong between several variables
 */
export function settingGroup<Shape extends z.ZodRawShape, Settings>(
  object: z.ZodObject<Shape>,
  build: (
    values: z.output<z.ZodObject<Shape>>,
    report: (variable: string, problem: string) => void,
  ) => Settings,
): SettingGroup<Settings> {
  return {
    variables: Object.keys(object.shape),
    schema: object.transform((values, context) =>
      build(values, (variable, problem) => {
        context.addIssue({ code: 'custom', path: [variable], message: problem });
      }),
    ),
  };
}

type SettingsOf<Groups> = {
  [Key in keyof Groups]: Groups[Key] extends SettingGroup<infer Settings> ? Settings : never;
};

/**
 * Reads the groups of variables that a process needs. An empty value counts as not set. For every `NAME`,
 * `NAME_FILE` may name a file that holds the value instead (Docker and Kubernetes secrets).
 *
 * @throws ConfigurationError with every problem, never with a value: it may be a secret.
 */
export function readSettings<Groups extends Record<string, SettingGroup<unknown>>>(
  groups: Groups,
  environment: Environment = process.env,
): SettingsOf<Groups> {
  const problems: SettingProblem[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, group] of Object.entries(groups)) {
    const values = readValues(group.variables, environment, problems);
    const parsed = group.schema.safeParse(values);
    if (parsed.success) {
      settings[name] = parsed.data;
    } else {
      for (const issue of parsed.error.issues) {
        problems.push({ variable: issue.path.join('.'), problem: issue.message });
      }
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- filled above, one value per group
  return settings as SettingsOf<Groups>;
}

function readValues(
  variables: readonly string[],
  environment: Environment,
  problems: SettingProblem[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const variable of variables) {
    const value = environment[variable];
    const file = environment[`${variable}_FILE`];
    if (value && file) {
      problems.push({ variable, problem: `set either ${variable} or ${variable}_FILE, not both` });
    }
    if (value) {
      values[variable] = value;
    } else if (file) {
      try {
        values[variable] = readFileSync(file, 'utf8').trimEnd();
      } catch {
        problems.push({ variable: `${variable}_FILE`, problem: `the file ${file} cannot be read` });
      }
    }
  }
  return values;
}
