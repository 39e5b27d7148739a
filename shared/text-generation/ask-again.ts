import type { GenerationCall } from './text-generator.ts';

/** The call that follows an answer which did not fit: the model sees what it wrote, and which rules that broke. */
export function askAgain(
  call: GenerationCall,
  unfit: { text: string; issues: readonly string[] },
): GenerationCall {
  const complaint = [
    'Your answer does not fit what was asked for:',
    ...unfit.issues.map((issue) => `- ${issue}`),
    'Answer again with one complete JSON object that does, and with nothing else.',
  ].join('\n');
  return {
    ...call,
    messages: [
      ...call.messages,
      // Vendors refuse a message without text.
      { role: 'assistant', text: unfit.text.trim() || '(nothing)' },
      { role: 'user', text: complaint },
    ],
  };
}
