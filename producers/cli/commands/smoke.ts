import { InvalidArgumentError, type Command } from 'commander';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { readRunFile } from '../../../shared/config/run-file.ts';
import { smokeSettings } from '../../../shared/config/smoke-settings.ts';
import { wholeNumberArgument } from '../arguments.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface SmokeFlags {
  url?: URL;
  modelsUrl?: URL;
  key?: string;
  timeout: number;
  json?: true;
}

/** The longest that the API waits for a result. */
const longestWaitMs = 30_000;

export function addSmokeCommand(program: Command, context: CliContext): void {
  program
    .command('smoke')
    .description(
      "send each document's example to a running fleet and check the answers; exit 0 when none is wrong",
    )
    .option('--url <url>', 'where its API is; without it, the fleet that runs in this folder', urlArgument)
    .option(
      '--models-url <url>',
      'where its models answer; without it and without --url, those of the fleet that runs in this folder',
      urlArgument,
    )
    .option(
      '--key <key>',
      'an API key with the scopes produce and read; better in PRESAGE_API_KEY, which no one sees',
    )
    .option(
      '--timeout <ms>',
      'how long a result is waited for',
      wholeNumberArgument(1, longestWaitMs),
      longestWaitMs,
    )
    .option('--json', 'print one JSON document')
    .action((flags: SmokeFlags) => smoke(flags, context));
}

async function smoke(flags: SmokeFlags, context: CliContext): Promise<void> {
  // Of one fleet: where the API is named, the models of this folder are those of another.
  const stack = flags.url ? undefined : readRunFile(context.workingDirectory);
  const url = flags.url ?? (stack && new URL(stack.api));
  const modelsUrl = flags.modelsUrl ?? (stack?.model_serving ? new URL(stack.model_serving) : undefined);
  if (!url) throw new UsageError('No fleet runs in this folder: name one with --url.');
  // Given as a variable, because the same is asked of it.
  const given = flags.key === undefined ? context.environment : { PRESAGE_API_KEY: flags.key };
  const { apiKey } = readSettings({ smoke: smokeSettings }, given).smoke;
  const { runSmoke } = await import('../smoke/run-smoke.ts');
  const { formatFindings } = await import('../doctor/format-findings.ts');
  const findings = await runSmoke({ url, modelsUrl, apiKey, waitMs: flags.timeout });
  const failed = findings.filter(({ state }) => state === 'fail').length;
  if (flags.json) writeJson(context.output, { ok: failed === 0, findings });
  else context.output.write(formatFindings(findings));
  if (failed > 0) throw new CommandFailed(`${failed} of ${findings.length} checks failed.`);
}

function urlArgument(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '')
    return url;
  throw new InvalidArgumentError('must be an address such as http://127.0.0.1:8080, without a user.');
}
