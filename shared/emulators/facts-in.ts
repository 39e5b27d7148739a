/** The facts of a prompt: the first of its lines that is a JSON object. */
export function factsIn(prompt: string): Readonly<Record<string, unknown>> {
  for (const line of prompt.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      const parsed: unknown = JSON.parse(line);
      if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
    } catch {
      // Words that look like it.
    }
  }
  return {};
}
