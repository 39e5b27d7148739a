import { z } from 'zod';
import { exampleFeatures } from '../../../shared/api-contract/example-features.ts';
import { formatTable } from '../format-table.ts';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { indented } from './indented.ts';

const modelId = 'macro-effects';

const infoSchema = z.object({
  treatments: z.array(z.object({ name: z.string() })),
  regimes: z.array(z.object({ name: z.string() })),
});
const answerSchema = z.object({
  causal_effects: z.array(z.number()),
  regime_probabilities: z.array(z.array(z.number())),
  dominant_regime: z.array(z.int()),
  uncertainty: z.array(z.number()),
});

/** Step 14: what a change would do, and in which regime: the causal model is asked over HTTP. */
export async function showEffects(fleet: Fleet, say: (line?: string) => void): Promise<void> {
  const url = fleet.describe().model_serving;
  say();
  say(`14. POST /predict/${modelId}?missing=impute   (an effect of each change, the regime, how sure)`);
  say(`   ${JSON.stringify(exampleFeatures)}`);
  const info = infoSchema.parse(await (await ask(`${url}/models/${modelId}/info`)).json());
  const response = await ask(`${url}/predict/${modelId}?missing=impute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exampleFeatures),
  });
  const answer: unknown = await response.json();
  say(`   ${JSON.stringify(answer)}`);
  const { causal_effects: effects, regime_probabilities: probabilities } = answerSchema.parse(answer);
  const rows = [
    ...info.treatments.map(({ name }, place) => ['effect', name, effects[place]?.toFixed(3) ?? '']),
    ...info.regimes.map(({ name }, place) => ['regime', name, probabilities[0]?.[place]?.toFixed(3) ?? '']),
  ];
  say(indented(formatTable(['WHAT', 'OF', 'VALUE'], rows)));
  say(`   X-Presage-Features: ${response.headers.get('x-presage-features') ?? ''}`);
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  if (response.ok) return response;
  throw new CommandFailed(`The models answered ${response.status}: ${await response.text()}`);
}
