import { z } from 'zod';
import type { ArtifactSettings } from './model-settings.ts';
import { settingGroup } from './read-settings.ts';
import { bucketName, urlWithScheme, wholeNumber } from './setting-types.ts';

/** How models answer over HTTP. */
export interface ServingSettings {
  /** Port of the process's own HTTP interface; 0 means any free one. */
  port: number;
  /** Requests are run together up to so many rows. */
  batchRows: number;
  /** A request waits so long for others to be run with, in milliseconds. */
  batchWaitMs: number;
  /** Rows of one model that may wait to be run; above it requests are refused. */
  queueRows: number;
  /** A request that is not answered by then gets no answer, in milliseconds. */
  deadlineMs: number;
  /** Where the files of rows are that jobs name; `undefined`: in the artifact store. */
  rows: ArtifactSettings | undefined;
}

/** A port of its own, so that the API and the models can run from one `.env` on one machine. */
export const servingSettings = settingGroup(
  z.object({
    SERVING_PORT: wholeNumber(0, 65_535).default(8083),
    SERVING_BATCH_ROWS: wholeNumber(1, 4_096).default(64),
    SERVING_BATCH_WAIT_MS: wholeNumber(0, 1_000).default(2),
    SERVING_QUEUE_ROWS: wholeNumber(1, 1_000_000).default(4_096),
    SERVING_DEADLINE_MS: wholeNumber(1, 600_000).default(10_000),
    GOLD_BUCKET: bucketName.optional(),
    AWS_REGION: z.string().default('us-east-1'),
    AWS_ENDPOINT_URL_S3: urlWithScheme(['http:', 'https:']).optional(),
  }),
  (values): ServingSettings => ({
    port: values.SERVING_PORT,
    batchRows: values.SERVING_BATCH_ROWS,
    batchWaitMs: values.SERVING_BATCH_WAIT_MS,
    queueRows: values.SERVING_QUEUE_ROWS,
    deadlineMs: values.SERVING_DEADLINE_MS,
    rows:
      values.GOLD_BUCKET === undefined
        ? undefined
        : {
            kind: 'bucket',
            bucket: values.GOLD_BUCKET,
            region: values.AWS_REGION,
            endpointUrl: values.AWS_ENDPOINT_URL_S3,
          },
  }),
);
