import * as fc from 'fast-check';
import { inventPage } from '../../../../shared/emulators/invent-page.ts';
import { pageDocumentSchema } from '../../../../shared/pages/page-document.ts';
import { fencedJson } from '../../../../shared/text-generation/fenced-json.ts';
import { gatherFacts } from '../../../../workers/content-generation/page-facts.ts';
import { pagePrompt } from '../../../../workers/content-generation/page-prompt.ts';
import type { Prediction } from '../../../../workers/content-generation/prediction.ts';
import { plantHabits } from '../../../support/plant-habits.ts';

const day = 20_530;
const dayMs = 86_400_000;

const prediction: Prediction = {
  id: 1,
  userId: 'user-1',
  pageKey: 'report',
  pattern: { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 },
  reason: null,
  timezone: 'UTC',
  windowStart: new Date(day * dayMs),
  windowEnd: new Date((day + 1) * dayMs),
};

/** What the content worker asks about a user with habits. */
function promptOf(seed: number): string {
  const events = plantHabits(seed, { startDay: day - 30, endDay: day }).events.map((event) => ({
    activityType: event.activityType,
    occurredAt: new Date(event.occurredAtMs),
    timezone: event.timezone,
  }));
  return pagePrompt(gatherFacts(prediction, events, day * dayMs)).user;
}

describe('inventPage', () => {
  it('makes a page of the facts, and says that it is invented', () => {
    const { title, blocks } = inventPage(promptOf(3));
    expect(title).toBe('Ready for you: report');
    expect(blocks.map(({ kind }) => kind)).toEqual(['paragraph', 'facts', 'heading', 'list', 'links']);
    expect(blocks[0]).toMatchObject({ text: expect.stringMatching(/^Invented /) });
    expect(blocks[4]).toMatchObject({
      items: expect.arrayContaining([{ label: 'login', page_key: 'login' }]),
    });
  });

  it('is always a page that the worker takes, and the same for the same prompt', () => {
    const names = fc.oneof(fc.string(), fc.constantFrom('<b>', 'a](b)', '&#60;', 'https://x.example'));
    const facts = fc.record({
      page_key: names,
      window: fc.record({ from: names, to: names, timezone: names }),
      transitions: fc.array(fc.tuple(names, names, fc.nat(), fc.nat(), fc.nat())),
      recent: fc.array(fc.tuple(names, names)),
      pages: fc.array(names),
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), facts.map(fencedJson)), (prompt) => {
        const invented = inventPage(prompt);
        expect(pageDocumentSchema.parse(invented)).toEqual(invented);
        expect(inventPage(prompt)).toEqual(invented);
      }),
    );
  });
});
