import { writeJson, type CliContext } from '../producers/cli/cli-context.ts';
import type { BenchOptions } from '../producers/cli/main.ts';
import { UsageError } from '../producers/cli/usage-error.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { openBenchmarkEnvironment } from './open-benchmark-environment.ts';

type Benchmark = (environment: BenchmarkEnvironment) => Promise<BenchmarkReport>;

/** Each benchmark, loaded when it is run. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  queue: async () => (await import('./queue.ts')).benchQueue,
  'call-time': async () => (await import('./call-time.ts')).benchCallTime,
  'lead-scoring': async () => (await import('./lead-scoring.ts')).benchLeadScoring,
  'model-serving': async () => (await import('./model-serving.ts')).benchModelServing,
  llm: async () => (await import('./llm.ts')).benchLlm,
  sweep: async () => (await import('./sweep.ts')).benchSweep,
  recovery: async () => (await import('./recovery.ts')).benchRecovery,
  scale: async () => (await import('./scale.ts')).benchScale,
};

/** Runs the named benchmarks, or all, one after the other on private servers. */
export async function runBenchmarks(
  names: readonly string[],
  { json, log }: BenchOptions,
  { output, messages, stackEnvironment }: CliContext,
): Promise<number> {
  const known = Object.keys(benchmarks);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no benchmark ${unknown}. The benchmarks are: ${known.join(', ')}.`);
  }
  const reports: BenchmarkReport[] = [];
  for (const name of names.length > 0 ? names : known) {
    messages.write(`benchmark ${name} …\n`);
    await using resources = new AsyncDisposableStack();
    const environment = await openBenchmarkEnvironment(resources, stackEnvironment);
    const run = await benchmarks[name]?.();
    if (!run) continue;
    const report = await run({ ...environment, log });
    reports.push(report);
    if (!json) output.write(describeReport(report));
  }
  if (json) writeJson(output, { benchmarks: reports });
  return 0;
}

function describeReport({ name, figures, notes = [] }: BenchmarkReport): string {
  return [name, ...figures.map(describeFigure), ...notes.map((note) => `  (${note})`), ''].join('\n');
}

function describeFigure({ name, value, unit, control, ratio, aim }: Figure): string {
  const parts = [`  ${name}: ${round(value)} ${unit}`];
  if (control !== undefined) parts.push(`control ${round(control)} ${unit}`);
  if (ratio !== undefined) parts.push(`ratio ${ratio.toFixed(2)}`);
  if (aim !== undefined) parts.push(`aim ${aim}`);
  return parts.join(', ');
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
