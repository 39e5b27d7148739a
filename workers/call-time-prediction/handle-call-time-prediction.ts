import {
  callTimePrediction,
  predictionSources,
  type OptimalCallTime,
  type PredictionSource,
} from '../../shared/contracts/call-time-prediction.ts';
import type { PayloadOf, ResultOf } from '../../shared/contracts/define-queue.ts';
import type { CallTimePredictionsTable } from '../../shared/database/call-time-predictions-table.ts';
import { classify } from '../../shared/errors/classify.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { askForEach } from './ask-for-each.ts';
import type { CallTimeModel } from './call-time-model.ts';
import { checkContacts } from './check-contacts.ts';
import { defaultPattern } from './default-pattern.ts';
import type { PredictionCache } from './prediction-cache.ts';
import { answerOf, createRowMaker, toPrediction } from './prediction-row.ts';
import type { PredictionRows } from './prediction-rows.ts';
import type { ResolveTimezone } from './resolve-timezone.ts';

type Contract = typeof callTimePrediction;

/** At the end of a job's time, kept free for writing what there is by then, in milliseconds. */
const reserveMs = 30_000;

export interface CallTimeDependencies {
  resolveTimezone: ResolveTimezone;
  cache: PredictionCache;
  /** Absent when no endpoint is configured: then a number that is not cached gets the default pattern. */
  model: CallTimeModel | undefined;
  rows: PredictionRows;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * Document 000: when to call each contact. Every contact comes back once, in request order, under `predictions`
 * or under `errors`. A phone number's answer comes from the first of these that has one: what an earlier run of
 * the job recorded, the cache, the endpoint, the default pattern.
 *
 * @throws StoreUnavailableError when MySQL is away; Redis and the endpoint may be
 * @throws JobError made of the signal's reason when that is aborted
 */
export async function handleCallTimePrediction(
  payload: PayloadOf<Contract>,
  context: JobContext,
  dependencies: CallTimeDependencies,
): Promise<ResultOf<Contract>> {
  const { cache, model, rows, now } = dependencies;
  const askUntilMs = now() + callTimePrediction.deadlineMs - reserveMs;
  const makeRow = createRowMaker(context.jobId, now);

  const { callable, errors } = checkContacts(payload.contacts, dependencies.resolveTimezone);
  const recorded = context.mayHaveRunBefore
    ? await rows.load(context.jobId)
    : new Map<number, CallTimePredictionsTable>();
  const open = Map.groupBy(
    callable.filter((contact) => !recorded.has(contact.position)),
    (contact) => contact.phoneNumber,
  );

  /** Records the answers for all contacts that have these numbers; they are not open any longer. */
  async function record(
    answers: ReadonlyMap<string, OptimalCallTime>,
    source: PredictionSource,
  ): Promise<void> {
    if (answers.size === 0) return;
    const made = [...answers].flatMap(([phoneNumber, answer]) =>
      (open.get(phoneNumber) ?? []).map((contact) => makeRow(contact, answer, source)),
    );
    for (const row of await rows.record(made)) recorded.set(row.position, row);
    for (const phoneNumber of answers.keys()) open.delete(phoneNumber);
    context.progress(errors.length + recorded.size, payload.contacts.length);
  }

  // An earlier run may have been cut off between two contacts that have the same number.
  for (const source of predictionSources) await record(answersFor(open, recorded, source), source);
  await record(await cache.read([...open.keys()]), 'cache');
  if (model) {
    await askForEach(
      [...open.values()].flatMap((contacts) => contacts.slice(0, 1)),
      {
        model,
        signal: context.signal,
        trace: context.trace,
        mayAsk: () => now() < askUntilMs,
        async keep(phoneNumber, answer) {
          try {
            // The journal first: whatever happens after it, this answer is not paid for again.
            await record(new Map([[phoneNumber, answer]]), 'sagemaker');
          } finally {
            // Without MySQL the cache is all that can keep the answer for the job's next run.
            await cache.write(phoneNumber, answer);
          }
        },
      },
    );
  }
  if (context.signal.aborted) throw classify(context.signal.reason);
  const unanswered = [...open.keys()];
  await record(new Map(unanswered.map((phoneNumber) => [phoneNumber, defaultPattern])), 'default');
  if (!model) await cache.writeDefaults(unanswered);

  return {
    predictions: callable.map(({ id, position }) => {
      const row = recorded.get(position);
      if (!row) throw new Error('a contact was left without a prediction');
      return toPrediction(id, row);
    }),
    errors,
  };
}

/** The answers that rows of this source hold for numbers that are still open. */
function answersFor(
  open: ReadonlyMap<string, unknown>,
  recorded: ReadonlyMap<number, CallTimePredictionsTable>,
  source: PredictionSource,
): Map<string, OptimalCallTime> {
  const answers = new Map<string, OptimalCallTime>();
  for (const row of recorded.values()) {
    if (row.source === source && open.has(row.phone_number)) answers.set(row.phone_number, answerOf(row));
  }
  return answers;
}
