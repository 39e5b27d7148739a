import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { health } from '../health.ts';

export function addHealthCommand(
  program: Command,
  context: CliContext,
  run: (work: Promise<number>) => Promise<void>,
): void {
  program
    .command('health')
    .description(
      'ask the process that answers at HEALTH_PORT whether it is ready; exit 0 when it is (for containers)',
    )
    .action(() => run(health(context)));
}
