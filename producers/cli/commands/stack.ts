import type { Command } from 'commander';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { wholeNumberArgument } from '../arguments.ts';
import type { CliContext } from '../cli-context.ts';
import { migrateStores } from '../migrate-stores.ts';
import { installSamples } from '../models/install-samples.ts';
import { UsageError } from '../usage-error.ts';

interface UpFlags {
  ephemeral?: true;
  port: number;
  readyFile?: string;
  workers?: string;
  replicas: Record<string, number>;
}

const defaultPort = 8080;

/** The commands that run the embedded stack. Their parts are loaded when they are called. */
export function addStackCommands(
  program: Command,
  context: CliContext,
  run: (work: Promise<number>) => Promise<void>,
): void {
  async function migrate(environment: Environment): Promise<void> {
    await migrateStores(environment);
    await installSamples(environment, (line) => context.messages.write(line));
  }

  program
    .command('up')
    .description('run the embedded stack and every process of the fleet until Ctrl-C')
    .option('--ephemeral', 'keep data in a temporary folder and delete it at the end')
    .option(
      '--port <number>',
      'port of the API; 0 takes any free one',
      wholeNumberArgument(0, 65_535),
      defaultPort,
    )
    .option('--ready-file <path>', 'write addresses and process ids there, as JSON, once everything is ready')
    .option('--workers <queues>', 'start only these workers, comma-separated')
    .option('--replicas <name=number>', 'start so many of a process; may be given again', collectReplicas, {})
    .action(async (flags: UpFlags) => {
      const { up } = await import('../up.ts');
      await run(
        up({
          ephemeral: flags.ephemeral ?? false,
          port: flags.port,
          readyFile: flags.readyFile,
          workers: flags.workers?.split(',').map((name) => name.trim()),
          replicas: flags.replicas,
          environment: context.stackEnvironment,
          workingDirectory: context.workingDirectory,
          migrate,
          write: (text) => context.output.write(text),
        }),
      );
    });

  program
    .command('demo')
    .description('start everything, send real sample input through every pipeline, show the results, stop')
    .action(async () => {
      const { runDemo } = await import('../demo/run-demo.ts');
      await run(runDemo(context, migrate));
    });
}

function collectReplicas(value: string, replicas: Record<string, number>): Record<string, number> {
  const match = /^([a-z-]+)=(\d{1,3})$/.exec(value);
  if (!match?.[1]) throw new UsageError(`--replicas ${value}: give a name and a number, such as relay=2.`);
  return { ...replicas, [match[1]]: Number(match[2]) };
}
