import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import S3rver from 's3rver';

/** How an answer differs from S3's. */
export type S3Fault =
  /** An error of S3 with this status and code. */
  | { kind: 'status'; status: number; code: string }
  /** Status 200 with this document. */
  | { kind: 'answer'; xml: string }
  | { kind: 'reset' }
  | { kind: 'hang' }
  /** The connection ends in the middle of the answer. */
  | { kind: 'cut-off' };

/** A local S3 server. */
export interface S3Server extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_S3` is to be set to. */
  url: string;
  /** `METHOD /path`, oldest first. */
  requests: readonly string[];
  /** Gives the next call this fault, after the ones scripted before. */
  failNext(fault: S3Fault): void;
}

/** Takes the credentials S3RVER with the secret S3RVER, and no others: they are set in the test file's `process.env`. */
export async function openS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-s3-'));
  process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    directory,
    silent: true,
    vhostBuckets: false,
    resetOnClose: false,
  });
  const requests: string[] = [];
  const faults: S3Fault[] = [];
  server.middleware.unshift(async (context, next) => {
    requests.push(`${context.method} ${context.path}`);
    const fault = faults.shift();
    if (fault?.kind === 'status') {
      context.status = fault.status;
      context.type = 'application/xml';
      context.body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${fault.code}</Code><Message>No.</Message></Error>`;
    } else if (fault?.kind === 'answer') {
      context.status = 200;
      context.type = 'application/xml';
      context.body = fault.xml;
    } else if (fault?.kind === 'reset') {
      context.respond = false;
      context.req.socket.resetAndDestroy();
    } else if (fault?.kind === 'hang') {
      context.respond = false;
    } else if (fault?.kind === 'cut-off') {
      context.respond = false;
      context.res.writeHead(200, { 'content-length': 1_000 });
      context.res.write('part of it', () => context.res.destroy());
    } else {
      await next();
    }
  });
  const { port } = await server.run();
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    failNext(fault) {
      faults.push(fault);
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
