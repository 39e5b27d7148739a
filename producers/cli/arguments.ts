import { InvalidArgumentError } from 'commander';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { createTimezoneNames } from '../../shared/timezone/timezone-names.ts';

/** Parses a whole number from an option; commander reports the error as wrong usage. */
export function wholeNumberArgument(minimum: number, maximum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`must be a whole number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A point in time: an ISO date, or an age such as `90s`, `10m`, `2h`, `7d`. */
export function timeArgument(value: string): Date {
  const age = /^(\d+)([smhd])$/.exec(value);
  const perUnit = unitMs[age?.[2] ?? ''];
  if (age && perUnit !== undefined) return new Date(Date.now() - Number(age[1]) * perUnit);
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError(
      'must be a date such as 2026-01-31T12:00:00Z, or an age such as 10m, 2h or 7d.',
    );
  }
  return date;
}

/** The name of a queue of the catalogue. */
export function queueArgument(value: string): string {
  const names = allQueues.map(({ name }) => name);
  if (!names.includes(value)) throw new InvalidArgumentError(`the queues are: ${names.join(', ')}.`);
  return value;
}

export function timezoneArgument(value: string): string {
  if (!createTimezoneNames()(value))
    throw new InvalidArgumentError('must be an IANA name such as America/New_York.');
  return value;
}
