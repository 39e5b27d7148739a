/** The part of s3rver, an S3 server without types of its own, that is used here. */
declare module 's3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { AddressInfo } from 'node:net';

  interface Context {
    req: IncomingMessage;
    res: ServerResponse;
    method: string;
    path: string;
    status: number;
    type: string;
    body: string;
    /** False: somebody else answers. */
    respond: boolean;
  }

  interface S3rverOptions {
    address: string;
    port: number;
    /** The folder that keeps the data. */
    directory: string;
    silent: boolean;
    vhostBuckets: boolean;
    resetOnClose: boolean;
  }

  export default class S3rver {
    constructor(options: S3rverOptions);
    middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[];
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
  }
}
