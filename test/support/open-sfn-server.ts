import { openLocalServer } from '../../shared/emulators/open-local-server.ts';

/** A call that a state machine's state was ended by. */
export interface TaskCall {
  action: string;
  body: Record<string, unknown>;
}

/** A local server that speaks as much of Step Functions' JSON protocol as a callback needs. */
export interface SfnServer extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_SFN` is to be set to. */
  url: string;
  /** Oldest first. */
  calls: readonly TaskCall[];
  /** Answers the next calls with this error: a name of Step Functions', or `reset` of the connection. */
  failNext(error: string): void;
}

export async function openSfnServer(): Promise<SfnServer> {
  const calls: TaskCall[] = [];
  const errors: string[] = [];
  const server = await openLocalServer({
    handle(request, body, response) {
      const [, action = ''] = String(request.headers['x-amz-target']).split('.');
      calls.push({ action, body: JSON.parse(body) as Record<string, unknown> });
      const error = errors.shift();
      if (error === 'reset') {
        server.reset(response);
        return;
      }
      response.writeHead(error === undefined ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' });
      const name = `com.amazonaws.swf.service.v2.model#${error}`;
      response.end(JSON.stringify(error === undefined ? {} : { __type: name, message: 'no' }));
    },
  });
  return {
    url: server.url,
    calls,
    failNext: (error) => void errors.push(error),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
