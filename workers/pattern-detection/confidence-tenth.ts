/** The tenth in which a confidence lies, as a label: `0.7-0.8`. The last one holds certainty too. */
export function confidenceTenth(confidence: number): string {
  const tenth = Math.min(9, Math.max(0, Math.floor(confidence * 10)));
  return `${(tenth / 10).toFixed(1)}-${((tenth + 1) / 10).toFixed(1)}`;
}
