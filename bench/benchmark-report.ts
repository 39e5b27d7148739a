import type { DatabaseSettings } from '../shared/config/database-settings.ts';
import type { Environment } from '../shared/config/read-settings.ts';
import type { RedisSettings } from '../shared/config/redis-settings.ts';

/** Private servers that a benchmark may fill, with the fleet's schema. */
export interface BenchmarkEnvironment {
  redis: RedisSettings;
  database: DatabaseSettings;
  /** What child processes start from. */
  processEnvironment: Environment;
  /** What users did, as a CSV, where the benchmark is to take that instead of making it up. */
  log: { path: string; timezone: string } | undefined;
}

/** One measured figure, and the control that was measured beside it. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  control?: number;
  /** The figure against its control, as the aim is stated. */
  ratio?: number;
  aim?: string;
}

export interface BenchmarkReport {
  name: string;
  figures: Figure[];
  notes?: string[];
}
