import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export interface MeasuredGauge<Label extends string> {
  name: string;
  help: string;
  labelNames?: readonly Label[];
  /** Sets the figures; what it leaves out has none. */
  measure: (gauge: Gauge<Label>) => Promise<void>;
  /** What is not known when `measure` throws, as a whole sentence for the log. */
  unknown: string;
}

/** Adds a gauge that is measured whenever the process's `/metrics` is read. */
export function addMeasuredGauge<Label extends string = never>(
  { name, help, labelNames = [], measure, unknown }: MeasuredGauge<Label>,
  { registry, log }: { registry: Registry; log: Logger },
): void {
  new Gauge<Label>({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      // No figure is better than an old one that looks current.
      if (labelNames.length > 0) this.reset();
      // Without labels, `reset` would tell 0.
      else this.remove();
      try {
        await measure(this);
      } catch (error) {
        log.debug({ err: error, metric: name }, unknown);
      }
    },
  });
}
