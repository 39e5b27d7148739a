const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const;

/** A duration for people: `85 ms`, `1.3 s`, `3 min 4 s`, `2 d 5 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  const largest = units.findIndex(({ ms }) => durationMs >= ms);
  const [whole, part] = [units[largest], units[largest + 1]];
  if (!whole || !part) return `${Math.round(durationMs / 1_000)} s`;
  const rest = Math.floor((durationMs % whole.ms) / part.ms);
  return `${Math.floor(durationMs / whole.ms)} ${whole.name}${rest > 0 ? ` ${rest} ${part.name}` : ''}`;
}
