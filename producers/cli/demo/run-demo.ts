import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { openGuard } from '../../../shared/embedded/open-guard.ts';
import { StackError } from '../../../shared/embedded/stack-error.ts';
import { inventAnswer } from '../../../shared/emulators/invent-answer.ts';
import { openLlmServer } from '../../../shared/emulators/llm-server.ts';
import { openSagemakerServer } from '../../../shared/emulators/sagemaker-server.ts';
import { listenForStop } from '../../../shared/process/listen-for-stop.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import type { CliContext } from '../cli-context.ts';
import { startFleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { demoEnvironment } from './demo-environment.ts';
import { indented } from './indented.ts';
import { runCommand } from './run-command.ts';
import { showCallTimes } from './show-call-times.ts';
import { showEffects } from './show-effects.ts';
import { showInsights } from './show-insights.ts';
import { showLeads } from './show-leads.ts';
import { showPages } from './show-pages.ts';
import { showPredictions, showQuietTick } from './show-predictions.ts';

/**
 * Runs the whole fleet on this machine with sample input, and shows what comes back. Uses no key and no
 * account: local servers that speak the protocols of SageMaker, Bedrock and Together stand in for them, whatever
 * the environment says.
 */
export async function runDemo(
  context: CliContext,
  migrate: (environment: Environment) => Promise<void>,
): Promise<number> {
  const { output } = context;
  const say = (line = ''): void => void output.write(`${line}\n`);
  await using guard = await openGuard();
  using stop = listenForStop(() => guard.hurry());
  const directory = await mkdtemp(join(tmpdir(), 'presage-demo-'));
  guard.removeAtEnd(directory);
  await using endpoint = await openSagemakerServer({ latencyMs: 40 });
  await using models = await openLlmServer({ latencyMs: 200, answer: inventAnswer });

  say('Presage demo: Redis, MySQL, a DynamoDB emulator and every process of the fleet, on this machine.');
  say(`The SageMaker endpoint is an emulator: a local server (${endpoint.url}) with invented predictions.`);
  say(`Bedrock (Claude) and Together (Llama) are emulators too: a local server (${models.url}) that invents`);
  say('its answers; no model is asked.');
  say();
  const startedAt = performance.now();
  try {
    await using fleet = await startFleet({
      ephemeral: true,
      port: 0,
      environment: demoEnvironment(context.stackEnvironment, { sagemakerUrl: endpoint.url, llm: models }),
      workingDirectory: context.workingDirectory,
      migrate,
      guard,
      logger: createLogger({ process: 'demo', level: 'warn' }),
      logDirectory: directory,
      signal: stop.first,
    });
    say(`Started in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s. API: ${fleet.describe().api}`);
    await showCallTimes(fleet, endpoint, say, context);
    await showInsights(fleet, models, say, context);
    const example = await showPredictions(fleet, models, join(directory, 'sample-log.csv'), say);
    await showPages(fleet, example, say, context);
    await showQuietTick(fleet, models, say);
    await showLeads(fleet, join(directory, 'lead-ids.txt'), say);
    await showEffects(fleet, say);
    say();
    say('15. presage costs: what the calls of models would have cost');
    say(indented(await runCommand(fleet, ['costs'])));
    say();
  } catch (error) {
    if (error instanceof StackError) throw new CommandFailed(error.message, { cause: error });
    if (error !== stop.first.reason) throw error;
    say('Stopped.');
    return 1;
  }
  say('Everything is stopped again. Next: npm start');
  return 0;
}
