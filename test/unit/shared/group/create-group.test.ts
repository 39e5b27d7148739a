import fc from 'fast-check';
import { createGroup } from '../../../../shared/group/create-group.ts';

test('every item gets its own result, whatever the sizes and limits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ value: fc.integer(), bytes: fc.nat(50) }), { maxLength: 100 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 3 }),
      async (items, maxItems, maxBytes, parallelFlushes) => {
        await using group = createGroup<{ value: number; bytes: number }, number>({
          maxItems,
          maxBytes,
          weigh: (item) => item.bytes,
          parallelFlushes,
          retrySingly: () => true,
          flush(flushed) {
            expect(flushed.length).toBeLessThanOrEqual(maxItems);
            const bytes = flushed.reduce((sum, item) => sum + item.bytes, 0);
            if (flushed.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
            return Promise.resolve(flushed.map((item) => item.value * 2));
          },
        });
        const results = await Promise.all(items.map((item) => group.add(item)));
        expect(results).toEqual(items.map((item) => item.value * 2));
      },
    ),
  );
});

test('what arrives during a flush goes together with the next one', async () => {
  const sizes: number[] = [];
  const first = Promise.withResolvers<void>();
  await using group = createGroup<number, number>({
    maxItems: 100,
    parallelFlushes: 1,
    retrySingly: () => true,
    async flush(items) {
      sizes.push(items.length);
      if (sizes.length === 1) await first.promise;
      return items;
    },
  });
  const one = group.add(1);
  await new Promise((resolve) => void setImmediate(resolve));
  const others = Promise.all(Array.from({ length: 30 }, (_, index) => group.add(index)));
  first.resolve();
  await Promise.all([one, others]);
  expect(sizes).toEqual([1, 30]);
});

test('one bad item of a group fails alone', async () => {
  await using group = createGroup<number, number>({
    maxItems: 100,
    parallelFlushes: 1,
    retrySingly: () => true,
    flush: (items) =>
      items.includes(13)
        ? Promise.reject(new Error('unlucky'))
        : Promise.resolve(items.map((item) => item + 1)),
  });
  const results = await Promise.allSettled([1, 13, 2].map((item) => group.add(item)));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('an outage fails the whole group at once, without trying every item', async () => {
  let flushes = 0;
  await using group = createGroup<number, number>({
    maxItems: 100,
    parallelFlushes: 1,
    retrySingly: () => false,
    flush() {
      flushes += 1;
      return Promise.reject(new Error('away'));
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
  expect(results.every((result) => result.status === 'rejected')).toBe(true);
  expect(flushes).toBe(1);
});

test('disposing waits for what was added', async () => {
  const flushed: number[] = [];
  const group = createGroup<number, void>({
    maxItems: 2,
    parallelFlushes: 1,
    retrySingly: () => true,
    async flush(items) {
      await new Promise((resolve) => void setImmediate(resolve));
      flushed.push(...items);
      return items.map(() => undefined);
    },
  });
  const added = Promise.all([1, 2, 3, 4, 5].map((item) => group.add(item)));
  await group[Symbol.asyncDispose]();
  expect(flushed).toEqual([1, 2, 3, 4, 5]);
  await added;
});
