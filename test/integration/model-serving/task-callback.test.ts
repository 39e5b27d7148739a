import { openTaskCallback, type TaskCallback } from '../../../workers/model-serving/task-callback.ts';
import { openSfnServer, type SfnServer } from '../../support/open-sfn-server.ts';

let sfn: SfnServer;
let callback: TaskCallback;
beforeEach(async () => {
  sfn = await openSfnServer();
  const options = { region: 'us-east-1', endpointUrl: sfn.url, mayAskInstanceMetadata: false };
  callback = openTaskCallback({ ...options, taskToken: 'token-1' });
});
afterEach(async () => {
  callback[Symbol.dispose]();
  await sfn[Symbol.asyncDispose]();
});

test('tells the state that waits what came of it', async () => {
  expect(await callback.succeed({ status: 'ready' })).toBe(true);
  expect(await callback.fail({ code: 'MODELS_NOT_READY', message: 'x'.repeat(40_000) })).toBe(true);
  expect(sfn.calls).toEqual([
    { action: 'SendTaskSuccess', body: { taskToken: 'token-1', output: '{"status":"ready"}' } },
    {
      action: 'SendTaskFailure',
      body: { taskToken: 'token-1', error: 'MODELS_NOT_READY', cause: 'x'.repeat(32_768) },
    },
  ]);
});

test.each(['TaskTimedOut', 'TaskDoesNotExist'])(
  'a state that waits no more is no failure: %s',
  async (name) => {
    sfn.failNext(name);
    expect(await callback.succeed({})).toBe(false);
  },
);

test.each(['InvalidToken', 'InvalidOutput', 'reset'])('fails at the first try: %s', async (name) => {
  sfn.failNext(name);
  await expect(callback.succeed({})).rejects.toMatchObject({
    kind: 'transient',
    code: 'TASK_CALLBACK_FAILED',
    message: expect.stringMatching(/^Step Functions could not be told/) as string,
  });
  expect(sfn.calls).toHaveLength(1);
});
