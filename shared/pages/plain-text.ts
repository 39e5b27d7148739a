/** What is invisible: controls, direction marks, tags. The joiners are letters' own: scripts and emoji need them. */
const invisible = /(?![\u200C\u200D])\p{C}/gu;

/**
 * What some renderer would read as more than text, by what it would be read as:
 * - a tag of HTML or XML: `<` before anything but a space, a digit or `=`
 * - a character reference: `&#…`, `&name;`, and the five that need no semicolon
 * - a link or an image of Markdown: `](`, `]:`
 * - an address with a scheme: `://`, and the schemes that need no slashes
 */
const markup = [
  /<(?![\s\d=])/u,
  /&(?:#|[a-z][a-z0-9]*;|(?:lt|gt|amp|quot|apos))/iu,
  /\][(:]/u,
  /:\/\//u,
  /\b(?:javascript|vbscript|livescript)\s*:/iu,
  /\b(?:https?|ftp|data|blob|file|about|mailto|tel|sms):(?=\S)/iu,
];

/** One line without anything invisible, its spaces single. */
export function onOneLine(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').replaceAll(invisible, '').replaceAll(/\s+/gu, ' ').trim();
}

/** Whether a text of one line is the same in whatever it is shown: as text, HTML or Markdown, or on a terminal. */
export function isPlainText(text: string): boolean {
  return !markup.some((pattern) => pattern.test(text));
}

/** Any text as a plain one of 1 to so many characters; what would be more than text becomes spaces. */
export function toPlainText(text: string, maxCharacters: number): string {
  const short = shortened(onOneLine(text), maxCharacters);
  const plain = isPlainText(short) ? short : onOneLine(short.replaceAll(/[<&\]:]/gu, ' '));
  return plain || '…';
}

function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // The cut may go through a character of two units: its half goes too.
  return `${onOneLine(text.slice(0, maxCharacters - 1))}…`;
}
