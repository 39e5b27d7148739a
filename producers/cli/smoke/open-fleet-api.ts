import { z } from 'zod';
import { acceptedSchema } from '../../../shared/api-contract/accepted.ts';
import { problemSchema, type ProblemCode } from '../../../shared/api-contract/problem-schema.ts';
import { errorCode } from '../../../shared/errors/classify.ts';
import { connectionProblem } from '../../../shared/errors/connection-problem.ts';
import { CommandFailed } from '../usage-error.ts';
import { mendProblem } from './mend-problem.ts';
import { NoAnswer, WrongAnswer } from './wrong-answer.ts';

/** An HTTP interface of a running fleet, seen from outside. Every call throws WrongAnswer, or CommandFailed without a key. */
export interface FleetApi {
  /** How long the fleet is asked to wait for a worker's result, in milliseconds. */
  waitMs: number;
  /** Sends a request, and answers what came back in the form of the contract. */
  ask<Body extends z.ZodType>(
    request: SmokeRequest,
    expected: Expected<Body>,
  ): Promise<Answer<z.output<Body>>>;
  /** Sends a request that must be refused. */
  askRefused(request: SmokeRequest, status: number, code: ProblemCode): Promise<void>;
}

export interface SmokeRequest {
  path: string;
  /** Sent with POST, as JSON. */
  body?: unknown;
}

interface Expected<Body extends z.ZodType> {
  schema: Body;
  /** Statuses with which such a body may come; 200 alone when left out. */
  statuses?: readonly number[];
}

export interface Answer<Body> {
  body: Body;
  headers: Headers;
}

export interface FleetApiOptions {
  /** Where it is, perhaps under a path. */
  url: URL;
  service: Service;
  apiKey: string | undefined;
  waitMs: number;
}

/** How what is asked is called in words for people, and the flag that says where it is. */
interface Service {
  name: string;
  flag: string;
}

/** What may pass between the end of the waiting and the answer, in milliseconds. */
const answerMarginMs = 5_000;

export function openFleetApi({ url, service, apiKey, waitMs }: FleetApiOptions): FleetApi {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  const authorization = apiKey === undefined ? undefined : { authorization: `Bearer ${apiKey}` };
  const patienceMs = waitMs + answerMarginMs;

  async function send({ path, body }: SmokeRequest): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(`${base}${path}`, {
        signal: AbortSignal.timeout(patienceMs),
        headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      return { response, text: await response.text() };
    } catch (error) {
      throw noAnswer(error, url, service, patienceMs);
    }
  }

  return {
    waitMs,
    async ask(request, { schema, statuses = [200] }) {
      const { response, text } = await send(request);
      const body = jsonOf(text);
      if (!statuses.includes(response.status)) throw unexpected(response.status, body, { service, waitMs });
      const parsed = schema.safeParse(body);
      if (parsed.success) return { body: parsed.data, headers: response.headers };
      throw new WrongAnswer(
        `the answer has another form: ${describeIssues(parsed.error)}`,
        `Is this ${service.name}, of the same version as this command? Else correct ${service.flag}.`,
      );
    },
    async askRefused(request, status, code) {
      const { response, text } = await send(request);
      const body = jsonOf(text);
      const problem = problemSchema.safeParse(body).data;
      if (response.status === status && problem?.code === code) return;
      if (!response.ok) throw unexpected(response.status, body, { service, waitMs });
      throw new WrongAnswer(
        `it was taken (${response.status}); it must be refused with ${status} ${code}`,
        `Is this ${service.name}, of the same version as this command?`,
      );
    },
  };
}

function noAnswer(error: unknown, url: URL, { name, flag }: Service, patienceMs: number): NoAnswer {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new NoAnswer(
      `no answer from ${url.host} within ${patienceMs} ms`,
      `Is it well, and does the network let this machine through to it? Else correct ${flag}, or give more --timeout.`,
      { cause: error },
    );
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const timedOut = errorCode(cause) === 'UND_ERR_CONNECT_TIMEOUT';
  const { finding, mend } = connectionProblem(timedOut ? { code: 'ETIMEDOUT' } : cause, {
    service: name,
    address: url.host,
    variables: flag,
    tlsSetting: `the scheme of ${flag}`,
    tls: url.protocol === 'https:',
  });
  return new NoAnswer(finding, mend, { cause: error });
}

/** What to throw for an answer with another status than the one that was hoped for. */
function unexpected(
  status: number,
  body: unknown,
  { service, waitMs }: Pick<FleetApiOptions, 'service' | 'waitMs'>,
): Error {
  const accepted = status === 202 ? acceptedSchema.safeParse(body).data : undefined;
  if (accepted) {
    const { job_id: jobId, queue } = accepted;
    return new WrongAnswer(
      `not done within ${waitMs} ms; the job ${jobId} goes on`,
      `Does a worker ${queue} run, and is the queue neither paused nor behind? presage queues list; presage jobs show ${jobId}.`,
    );
  }
  const problem = problemSchema.safeParse(body).data;
  if (problem?.code === 'UNAUTHENTICATED') {
    return new CommandFailed(
      `${problem.detail} Give one with --key or PRESAGE_API_KEY, with the scopes produce and read.`,
    );
  }
  if (problem)
    return new WrongAnswer(`${status} ${problem.code}: ${withoutDot(problem.detail)}`, mendProblem(problem));
  return new NoAnswer(
    `what answers there (${status}) is not ${service.name}`,
    `Does something between answer in its place? Else correct ${service.flag}.`,
  );
}

function describeIssues({ issues }: z.ZodError): string {
  const told = issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`);
  return told.join('; ') + (issues.length > told.length ? ` and ${issues.length - told.length} more` : '');
}

/** `undefined` for what is no JSON: no schema takes it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withoutDot(text: string): string {
  return text.replace(/\.$/, '');
}
