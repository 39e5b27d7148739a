/**
 * The smallest id that a job accepted at this time can have. Ids are UUIDs of version 7, which begin with their
 * time in milliseconds: no index on the time is needed.
 */
export function firstIdSince(since: Date): string {
  const milliseconds = since.getTime().toString(16).padStart(12, '0');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}`;
}
