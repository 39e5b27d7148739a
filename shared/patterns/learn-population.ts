import { describeEvidence, weightCount } from './describe-evidence.ts';
import type { Evidence } from './evidence.ts';
import { defaultPopulation, type Population } from './population.ts';

/** A pattern of the past, as it looked then, and what came of it in the days after. */
export interface Example {
  evidence: Evidence;
  occasions: number;
  cameTrue: number;
}

/**
 * What is assumed of people of whom something is known: that what a log shows holds less well than it looks, and that
 * few occasions prove little. Examples move it to where they lie.
 */
const sceptical: readonly number[] = [0, 0.6, 0.5, 1.5, -1, -1];
/** With so many examples, the built-in population counts half in the place of the sceptical one. */
const examplesForDoubt = 30;
/** How strongly examples are drawn towards what is assumed. */
const trustInAssumption = 3;
/** Of one pattern's outcomes, each tells less than one of another pattern: they succeed and fail together. */
const likeness = 0.5;
const mostSteps = 50;
const precise = 1e-8;

interface Row {
  values: readonly number[];
  occasions: number;
  cameTrue: number;
  weight: number;
}

/**
 * Learns how much patterns hold for people in general: logistic regression of what came true upon what the log
 * showed. While there are no examples, it is the built-in population.
 *
 * Leaks nothing of the future if the examples' outcomes all lie before the moment for which it is used.
 */
export function learnPopulation(examples: readonly Example[]): Population {
  const usable = examples.filter(({ occasions }) => occasions > 0);
  const weightsOf = (kind: Evidence['kind']) =>
    fit(
      usable.filter(({ evidence }) => evidence.kind === kind),
      defaultPopulation[kind],
    );
  return { version: 1, time: weightsOf('time'), sequence: weightsOf('sequence'), examples: usable.length };
}

/** Newton's method with steps that are halved until they lead upwards: the likelihood has one maximum. */
function fit(examples: readonly Example[], builtIn: readonly number[]): number[] {
  const doubt = examples.length / (examples.length + examplesForDoubt);
  const assumed = builtIn.map((weight, place) => weight + doubt * ((sceptical[place] ?? 0) - weight));
  const rows = examples.map(({ evidence, occasions, cameTrue }) => ({
    values: describeEvidence(evidence),
    occasions,
    cameTrue,
    weight: 1 / (1 + (occasions - 1) * likeness),
  }));
  let weights = assumed;
  let likelihood = likelihoodOf(rows, weights, assumed);
  for (let step = 0; step < mostSteps; step += 1) {
    const change = newtonStep(rows, weights, assumed);
    let length = 1;
    let next = moved(weights, change, length);
    let reached = likelihoodOf(rows, next, assumed);
    while (reached < likelihood && length > precise) {
      length /= 2;
      next = moved(weights, change, length);
      reached = likelihoodOf(rows, next, assumed);
    }
    if (reached <= likelihood) break;
    const gain = reached - likelihood;
    [weights, likelihood] = [next, reached];
    if (gain < precise) break;
  }
  return weights;
}

function moved(weights: readonly number[], change: readonly number[], length: number): number[] {
  return weights.map((weight, place) => weight + length * (change[place] ?? 0));
}

function logitOf(values: readonly number[], weights: readonly number[]): number {
  let logit = 0;
  for (let place = 0; place < weightCount; place += 1) logit += (values[place] ?? 0) * (weights[place] ?? 0);
  return logit;
}

/** Logarithm of the likelihood, less what it costs to be far from what is assumed. */
function likelihoodOf(rows: readonly Row[], weights: readonly number[], assumed: readonly number[]): number {
  let sum = 0;
  for (const [place, weight] of weights.entries()) {
    sum -= (trustInAssumption / 2) * (weight - (assumed[place] ?? 0)) ** 2;
  }
  for (const { values, occasions, cameTrue, weight } of rows) {
    const logit = logitOf(values, weights);
    // log(1 + e^x) without overflow.
    const softplus = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
    sum += weight * (cameTrue * logit - occasions * softplus);
  }
  return sum;
}

function newtonStep(rows: readonly Row[], weights: readonly number[], assumed: readonly number[]): number[] {
  const gradient = weights.map((weight, place) => -trustInAssumption * (weight - (assumed[place] ?? 0)));
  const curvature = weights.map((_weight, row) =>
    weights.map((_other, column): number => (row === column ? trustInAssumption : 0)),
  );
  for (const { values, occasions, cameTrue, weight } of rows) {
    const share = 1 / (1 + Math.exp(-logitOf(values, weights)));
    const surprise = weight * (cameTrue - occasions * share);
    const spread = weight * occasions * share * (1 - share);
    for (let row = 0; row < weightCount; row += 1) {
      const value = values[row] ?? 0;
      gradient[row] = (gradient[row] ?? 0) + surprise * value;
      const line = curvature[row] ?? [];
      for (let column = 0; column < weightCount; column += 1) {
        line[column] = (line[column] ?? 0) + spread * value * (values[column] ?? 0);
      }
    }
  }
  return solve(curvature, gradient);
}

/** Solves a positive definite system by elimination; the penalty on the diagonal keeps it from being singular. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((line, row) => [...line, right[row] ?? 0]);
  const size = rows.length;
  for (const [pivot, pivotRow] of rows.entries()) {
    for (let row = pivot + 1; row < size; row += 1) {
      const line = rows[row] ?? [];
      const factor = (line[pivot] ?? 0) / (pivotRow[pivot] ?? 1);
      for (let column = pivot; column <= size; column += 1) {
        line[column] = (line[column] ?? 0) - factor * (pivotRow[column] ?? 0);
      }
    }
  }
  const solution = Array.from({ length: size }, () => 0);
  for (let row = size - 1; row >= 0; row -= 1) {
    const line = rows[row] ?? [];
    let rest = line[size] ?? 0;
    for (let column = row + 1; column < size; column += 1)
      rest -= (line[column] ?? 0) * (solution[column] ?? 0);
    solution[row] = rest / (line[row] ?? 1);
  }
  return solution;
}
