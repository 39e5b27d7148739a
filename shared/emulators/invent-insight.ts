import { factsIn } from './facts-in.ts';

/** An insight as a model might word it. */
export interface InventedInsight {
  risk_score: number;
  explanation: string;
  recommendations: string[];
}

/**
 * A plausible insight for a prompt of the insight worker, from the facts that stand in it as one line of JSON; the
 * same each time for the same prompt. It says itself that it is invented.
 */
export function inventInsight(prompt: string): InventedInsight {
  const facts = factsIn(prompt);
  const number = (label: string, otherwise: number) => {
    const value = facts[label];
    const known = typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
    return Math.min(Math.max(known, -1e6), 1e6);
  };
  const explanation = `Invented by the demo's local server from ${list(facts)}.`;
  if ('Subject' in facts) {
    const gap = number('Demand Score', 50) - number('Supply Score', 50);
    return {
      risk_score: percent(30 + Math.abs(gap)),
      explanation,
      recommendations: [
        gap > 0 ? 'Recruit tutors for this subject.' : 'Offer this subject to more students.',
        'Look at the balance again in a week.',
      ],
    };
  }
  const [calls, health] = [number('IB Calls (14 days)', 0), number('Health Score', 50)];
  const sessions = number('Sessions (7 days)', 2);
  return {
    risk_score: percent(100 - health + 7 * calls + 5 * (2 - sessions)),
    explanation,
    recommendations: [
      calls > 2 ? 'Ask the student what the calls were about.' : 'Call the student this week.',
      sessions < 2 ? 'Offer a next session at a time that fits.' : 'Check whether the tutor fits.',
      'Look at the health score again in a week.',
    ],
  };
}

function list(facts: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(facts).map(([label, value]) => `${label} ${JSON.stringify(value)}`);
  return parts.length > 0 ? parts.join(', ') : 'no facts';
}

function percent(value: number): number {
  return Math.round(Math.min(Math.max(value, 3), 97));
}
