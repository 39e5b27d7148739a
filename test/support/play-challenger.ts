import type { RowScore } from '../../shared/models/row-score.ts';
import type { ModelLease, ServedModel } from '../../shared/models/served-model.ts';
import { readLeadConversion } from './open-test-bundles.ts';

export interface PlayedChallenger extends Pick<ServedModel<'binary_classifier'>, 'acquire' | 'current'> {
  /** How many rows it was asked about, each time. */
  asked: number[];
  /** How many leases are not over. */
  leases(): number;
}

export const scoredHalf: RowScore<'binary_classifier'> = {
  type: 'binary_classifier',
  kind: 'scored',
  probability: 0.5,
  confidence: 0.5,
  coverage: 1,
  logOdds: 0,
};

/** A challenger under control of a test. It is version 9.9.9 of the lead conversion model. */
export async function playChallenger(
  score: ModelLease<'binary_classifier'>['score'],
): Promise<PlayedChallenger> {
  const { manifest } = await readLeadConversion();
  const info = {
    manifest: { ...manifest, version: '9.9.9' },
    sha256: '9'.repeat(64),
    loadedAt: '2026-01-05T12:00:00.000Z',
  };
  const leases = new Set<symbol>();
  const asked: number[] = [];
  return {
    asked,
    leases: () => leases.size,
    current: () => info,
    acquire() {
      const lease = Symbol('lease');
      leases.add(lease);
      return {
        ...info,
        score(rows) {
          asked.push(rows.length);
          return score(rows);
        },
        scorePrepared: () => Promise.reject(new Error('the challenger is given rows as they are')),
        [Symbol.dispose]: () => void leases.delete(lease),
      };
    },
  };
}
