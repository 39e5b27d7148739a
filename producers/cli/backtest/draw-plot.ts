import type { BacktestReport } from './report.ts';

const [width, height, margin] = [560, 600, 60];
const side = 440;

/** A reliability diagram as SVG: what was stated against what came true, the size of a point by its predictions. */
export function drawPlot({
  reliability,
  predictions,
}: Pick<BacktestReport, 'reliability' | 'predictions'>): string {
  const most = Math.max(1, ...reliability.map(({ count }) => count));
  const points = reliability.flatMap(({ count, mean_stated: stated, realised }) => {
    if (stated === null || realised === null) return [];
    const radius = 3 + 11 * Math.sqrt(count / most);
    return [
      `<circle cx="${across(stated)}" cy="${up(realised)}" r="${radius.toFixed(1)}" fill="#2563eb" fill-opacity="0.75"/>`,
      `<text x="${across(stated)}" y="${fixed(Number(up(realised)) - radius - 4)}" font-size="11">${count}</text>`,
    ];
  });
  const ticks = Array.from({ length: 11 }, (_nothing, tick) => tick / 10).flatMap((share) => [
    `<line x1="${across(share)}" y1="${up(0)}" x2="${across(share)}" y2="${up(1)}" stroke="#e5e7eb"/>`,
    `<line x1="${across(0)}" y1="${up(share)}" x2="${across(1)}" y2="${up(share)}" stroke="#e5e7eb"/>`,
    `<text x="${across(share)}" y="${fixed(margin + side + 18)}" font-size="12">${share.toFixed(1)}</text>`,
    `<text x="${fixed(margin - 18)}" y="${fixed(Number(up(share)) + 4)}" font-size="12">${share.toFixed(1)}</text>`,
  ]);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" text-anchor="middle" fill="#111827">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${width / 2}" y="30" font-size="16">Stated confidence and what came true: ${predictions} predictions</text>`,
    ...ticks,
    `<line x1="${across(0)}" y1="${up(0)}" x2="${across(1)}" y2="${up(1)}" stroke="#9ca3af" stroke-dasharray="6 4"/>`,
    ...points,
    `<text x="${width / 2}" y="${margin + side + 45}" font-size="14">mean stated confidence</text>`,
    `<text x="16" y="${margin + side / 2}" font-size="14" transform="rotate(-90 16 ${margin + side / 2})">share that came true</text>`,
    `<text x="${width / 2}" y="${margin + side + 70}" font-size="12">Numbers at the points: predictions. On the broken line what is stated comes true.</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

function across(share: number): string {
  return fixed(margin + share * side);
}

function up(share: number): string {
  return fixed(margin + (1 - share) * side);
}

function fixed(pixels: number): string {
  return pixels.toFixed(1);
}
