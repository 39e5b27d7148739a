/** Stops what start-stores.mjs started. */
export default async function stopStores() {
  await globalThis.presageTestStores?.disposeAsync();
}
