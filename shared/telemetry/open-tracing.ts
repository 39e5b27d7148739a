import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TracingSettings } from '../config/tracing-settings.ts';

export interface SpanOptions {
  kind: 'server' | 'consumer' | 'client';
  /** W3C `traceparent` of the span that this one belongs to. */
  parent?: string | undefined;
  /** Ids, counts and route patterns; never personal data. */
  attributes: Attributes;
}

/** A span that has begun. */
export interface OpenSpan {
  /** What carries it on to the next process; undefined when nothing is traced and nothing came in. */
  traceparent: string | undefined;
  /** Adds ids, counts and names; never personal data. */
  set(attributes: Attributes): void;
  end(more?: { attributes?: Attributes; error?: unknown }): void;
}

export interface Tracing extends AsyncDisposable {
  start(name: string, options: SpanOptions): OpenSpan;
  /** Runs the work inside a span. */
  span<Result>(
    name: string,
    options: SpanOptions,
    work: (span: OpenSpan) => Promise<Result>,
  ): Promise<Result>;
}

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT } as const;

/**
 * OpenTelemetry traces, sent by OTLP over HTTP. Without an address nothing is recorded, and a `traceparent` that
 * came in is handed on as it is. Contexts are passed explicitly: no asynchronous hooks slow down what is not traced.
 */
export function openTracing(processName: string, { tracesUrl, serviceName }: TracingSettings): Tracing {
  if (tracesUrl === undefined) return withoutTracing;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName ?? `presage-${processName}` }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: tracesUrl }) })],
  });
  const tracer = provider.getTracer('presage');

  function start(name: string, { kind, parent, attributes }: SpanOptions): OpenSpan {
    const parentContext = parent === undefined ? null : parseTraceParent(parent);
    const context = parentContext
      ? trace.setSpanContext(ROOT_CONTEXT, { ...parentContext, isRemote: true })
      : ROOT_CONTEXT;
    return openSpan(tracer.startSpan(name, { kind: kinds[kind], attributes }, context));
  }
  return { start, span: runInSpan(start), [Symbol.asyncDispose]: () => provider.shutdown() };
}

function openSpan(span: Span): OpenSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    set: (attributes) => void span.setAttributes(attributes),
    end({ attributes, error } = {}) {
      if (attributes) span.setAttributes(attributes);
      // The name only: a message may quote what it is about.
      if (error !== undefined) {
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.name : 'error',
        });
      }
      span.end();
    },
  };
}

function runInSpan(start: Tracing['start']): Tracing['span'] {
  return async (name, options, work) => {
    const span = start(name, options);
    try {
      const result = await work(span);
      span.end();
      return result;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  };
}

/** Nothing is recorded. */
export const withoutTracing: Tracing = {
  start: (_name, { parent }) => untraced(parent),
  span: (_name, { parent }, work) => work(untraced(parent)),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

function untraced(traceparent: string | undefined): OpenSpan {
  return { traceparent, set: () => undefined, end: () => undefined };
}
