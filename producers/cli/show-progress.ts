import { Presets, SingleBar } from 'cli-progress';
import { describeJob, type JobView } from '../../shared/queue/describe-job.ts';
import type { CliClients, CliContext } from './cli-context.ts';

const lookEveryMs = 300;

/**
 * Follows a job until it is settled or the time is over, with a progress bar where messages go to a
 * terminal. Answers the job as it is then, or undefined when the ledger has no such job.
 */
export async function followJob(
  jobId: string,
  timeoutMs: number,
  clients: CliClients,
  { messages }: Pick<CliContext, 'messages'>,
): Promise<JobView | undefined> {
  const bar = messages.isTTY ? startBar(messages) : undefined;
  const timer = bar && setInterval(() => void update(bar), lookEveryMs);
  async function update(shown: SingleBar): Promise<void> {
    const record = await clients.ledger.read(jobId).catch(() => undefined);
    if (!record) return;
    const { state, progress } = await describeJob(record, clients);
    shown.setTotal(progress?.total ?? 1);
    shown.update(state === 'completed' ? (progress?.total ?? 1) : (progress?.done ?? 0), { state });
  }
  try {
    const settled = await clients.results.wait(jobId, timeoutMs);
    const record = settled ?? (await clients.ledger.read(jobId));
    if (bar) await update(bar);
    return record && (await describeJob(record, clients));
  } finally {
    clearInterval(timer);
    bar?.stop();
  }
}

function startBar(stream: NodeJS.WritableStream): SingleBar {
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} {state}', stream, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(1, 0, { state: 'accepted' });
  return bar;
}
