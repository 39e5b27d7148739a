import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { urlWithScheme } from './setting-types.ts';

export interface TracingSettings {
  /** Where traces go, by OTLP over HTTP; undefined: nowhere. */
  tracesUrl: string | undefined;
  serviceName: string | undefined;
}

const httpUrl = urlWithScheme(['http:', 'https:']);

/** OpenTelemetry's own variables; the exporter itself reads the others (`OTEL_EXPORTER_OTLP_HEADERS`, …). */
export const tracingSettings = settingGroup(
  z.object({
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
    OTEL_SERVICE_NAME: z.string().optional(),
  }),
  (values): TracingSettings => ({
    tracesUrl:
      values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ??
      (values.OTEL_EXPORTER_OTLP_ENDPOINT &&
        `${values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`),
    serviceName: values.OTEL_SERVICE_NAME,
  }),
);
