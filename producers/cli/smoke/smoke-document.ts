import type { Finding } from '../doctor/finding.ts';
import type { FleetApi } from './open-fleet-api.ts';

/** Sends a document's examples and checks what comes back. */
export type SmokeDocument = (api: FleetApi, context: SmokeContext) => Promise<Finding[]>;

export interface SmokeContext {
  /** When the examples were sent, by the clock of the fleet. */
  startedAt: Date;
  /** The process model-serving; `undefined` when nobody said where it is. */
  models: FleetApi | undefined;
}
