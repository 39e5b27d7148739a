import { randomUUID } from 'node:crypto';
import { readLeadConversion } from './open-test-bundles.ts';

export interface SampleLead {
  leadId: string;
  features: Readonly<Record<string, unknown>>;
  /** What the trainer says of it. */
  probability: number;
}

/** Leads across the whole range of the score, with ids that no other test has: the cache's keys have no prefix. */
export async function sampleLeads(): Promise<SampleLead[]> {
  const { manifest } = await readLeadConversion();
  return manifest.golden.cases.map(({ input, expected }) => ({
    leadId: `lead-${randomUUID()}`,
    features: input,
    probability: expected.probability,
  }));
}

/** Features by lead id. */
export function byId(leads: readonly SampleLead[]): Record<string, unknown> {
  return Object.fromEntries(leads.map(({ leadId, features }) => [leadId, features]));
}
