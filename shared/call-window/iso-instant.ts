/** An instant as ISO 8601 text in UTC, for example `2026-03-08T14:00:00Z`; no fraction unless there is one. */
export function isoInstant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}
