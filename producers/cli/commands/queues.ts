import type { Command } from 'commander';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import { queueArgument } from '../arguments.ts';
import { requireRedis, withClients, writeJson, type CliContext } from '../cli-context.ts';
import { formatTable } from '../format-table.ts';

export function addQueuesCommand(program: Command, context: CliContext): void {
  const queues = program.command('queues').description('look at the queues, pause and resume them');

  queues
    .command('list', { isDefault: true })
    .description('every queue: who works on it, and what it holds in Redis')
    .option('--json', 'print one JSON document')
    .action((flags: { json?: true }) =>
      withClients(context, async (clients) => {
        await requireRedis(clients);
        const { dispatcher } = clients;
        const rows = await Promise.all(
          allQueues.map(async ({ name }) => ({
            queue: name,
            paused: await dispatcher.isPaused(name),
            workers: await dispatcher.workers(name),
            ...(await dispatcher.depth(name)),
          })),
        );
        if (flags.json) writeJson(context.output, { queues: rows });
        else {
          context.output.write(
            formatTable(
              ['QUEUE', 'PAUSED', 'WORKERS', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED'],
              rows.map((row) => [
                row.queue,
                row.paused ? 'yes' : 'no',
                String(row.workers ?? '?'),
                ...[row.waiting, row.active, row.delayed, row.failed].map(String),
              ]),
            ),
          );
        }
      }),
    );

  for (const [name, paused, description] of [
    ['pause', true, 'let no worker take a new job of the queue; jobs in hand are finished'],
    ['resume', false, 'let workers take jobs again'],
  ] as const) {
    queues
      .command(name)
      .description(description)
      .argument('<queue>', 'the queue', queueArgument)
      .option('--json', 'print one JSON document (the default)')
      .action((queue: string) =>
        withClients(context, async (clients) => {
          await requireRedis(clients);
          await clients.dispatcher.setPaused(queue, paused);
          writeJson(context.output, { queue, paused });
        }),
      );
  }
}
