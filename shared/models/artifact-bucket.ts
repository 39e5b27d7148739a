import {
  BucketLocationConstraint,
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Readable } from 'node:stream';
import { awsCredentials } from '../aws/aws-credentials.ts';
import type { AwsSettings } from '../config/aws-settings.ts';
import { boundedCall } from '../outside-call/bounded-call.ts';
import { AnswerTooLargeError, collectBytes } from '../outside-call/collect-bytes.ts';
import { bucketFailure } from './artifact-bucket-failure.ts';
import { ArtifactTooLargeError, requireKey, requirePrefix } from './artifact-failure.ts';
import type { ArtifactStore } from './artifact-store.ts';

const connectionTimeoutMs = 2_000;
const defaultIdleTimeoutMs = 10_000;
/** The whole of a call that moves no file: credentials, request, and the last byte of the answer. */
const shortCallMs = 15_000;
/** The whole of a call that moves a file: half a gigabyte at 2 MB/s. */
const transferMs = 300_000;

export interface ArtifactBucketOptions extends AwsSettings {
  bucket: string;
  region: string;
  /** An address instead of AWS's own. */
  endpointUrl: string | undefined;
  /** A call ends when nothing is sent and nothing comes for so long. */
  idleTimeoutMs?: number;
}

/** The artifacts in a bucket of S3, or of a server that speaks its protocol. Connects with the first call. */
export function openArtifactBucket(options: ArtifactBucketOptions): ArtifactStore {
  const {
    bucket,
    region,
    endpointUrl,
    mayAskInstanceMetadata,
    idleTimeoutMs = defaultIdleTimeoutMs,
  } = options;
  const url = `s3://${bucket}`;
  const client = new S3Client({
    region,
    credentials: awsCredentials({ region, endpointUrl, mayAskInstanceMetadata }),
    // Other servers seldom have a host name for each bucket.
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl, forcePathStyle: true }),
    // Whoever calls decides what a failure leads to.
    maxAttempts: 1,
    // Every file is checked against its SHA-256, and other servers do not know S3's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      socketTimeout: idleTimeoutMs,
    }),
  });

  function call<Answer>(
    timeoutMs: number,
    send: (abortSignal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    return boundedCall({ timeoutMs, failureOf: (error, ending) => bucketFailure(url, error, ending) }, send);
  }

  function exists(): Promise<boolean> {
    return call(shortCallMs, async (abortSignal) => {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal });
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    });
  }

  return {
    url,

    async read(key, { maxBytes }) {
      requireKey(key);
      return call(transferMs, async (abortSignal) => {
        try {
          const command = new GetObjectCommand({ Bucket: bucket, Key: key });
          const { Body: body } = await client.send(command, { abortSignal });
          // A browser would get a body of another kind.
          if (!(body instanceof Readable)) throw new TypeError('the body is no stream of Node.js');
          return await collectBytes(body, maxBytes);
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error instanceof AnswerTooLargeError ? new ArtifactTooLargeError(key, maxBytes) : error;
        }
      });
    },

    async write(key, bytes) {
      requireKey(key);
      const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes });
      await call(transferMs, (abortSignal) => client.send(command, { abortSignal }));
    },

    async list(prefix) {
      requirePrefix(prefix);
      return call(shortCallMs, async (abortSignal) => {
        const keys: string[] = [];
        const request = { Bucket: bucket, Prefix: prefix };
        for await (const page of paginateListObjectsV2({ client }, request, { abortSignal })) {
          for (const { Key: key } of page.Contents ?? []) if (key !== undefined) keys.push(key);
        }
        return keys.sort();
      });
    },

    async prepare() {
      if (await exists()) return false;
      try {
        await call(shortCallMs, (abortSignal) => client.send(createCommand(bucket, region), { abortSignal }));
        return true;
      } catch (error) {
        // Somebody else was faster.
        if (await exists()) return false;
        throw error;
      }
    },

    exists,

    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

/** S3 takes no constraint for the region in which it was born. */
function createCommand(bucket: string, region: string): CreateBucketCommand {
  const constraint = Object.values(BucketLocationConstraint).find((known) => known === region);
  return new CreateBucketCommand({
    Bucket: bucket,
    ...(constraint === undefined ? {} : { CreateBucketConfiguration: { LocationConstraint: constraint } }),
  });
}
