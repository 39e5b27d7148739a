import type { Kysely } from 'kysely';
import type { Registry } from 'prom-client';
import type { Tables } from '../../shared/database/tables.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { addMeasuredGauge } from './add-measured-gauge.ts';
import { lastSettledSweep, lastSuccessfulSweep } from './read-sweeps.ts';

export interface MeasureSweepsOptions {
  db: Kysely<Tables>;
  registry: Registry;
  log: Logger;
}

/**
 * Measures the ticks of pattern detection, from the ledger, whenever the process's `/metrics` is read: also a tick whose
 * worker died is seen, and one that nobody accepted is missed.
 */
export function measureSweeps({ db, registry, log }: MeasureSweepsOptions): void {
  /** @param read answers undefined where there is no figure */
  function gauge(name: string, help: string, read: () => Promise<number | undefined>): void {
    addMeasuredGauge(
      {
        name,
        help,
        unknown: 'how the ticks went is not known',
        async measure(measured) {
          const value = await read();
          if (value !== undefined) measured.set(value);
        },
      },
      { registry, log },
    );
  }

  gauge(
    'presage_sweep_last_finished_timestamp_seconds',
    'When the last scheduled tick of pattern detection ended that got to all users; 0 when none did',
    async () => ((await lastSuccessfulSweep(db))?.getTime() ?? 0) / 1_000,
  );
  gauge(
    'presage_sweep_last_duration_seconds',
    'How long the last scheduled tick took, however it ended, from its acceptance to its end',
    async () => {
      const sweep = await lastSettledSweep(db);
      return sweep && (sweep.finishedAt.getTime() - sweep.acceptedAt.getTime()) / 1_000;
    },
  );
  gauge(
    'presage_sweep_last_success',
    'Whether the last scheduled tick got to all users within its time: 1, or 0 when it failed or its time was over',
    async () => {
      const sweep = await lastSettledSweep(db);
      return sweep && Number(sweep.succeeded);
    },
  );
}
