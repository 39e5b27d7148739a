import { allQueues } from '../../../../shared/contracts/all-queues.ts';
import { fleetProcesses } from '../../../../producers/cli/fleet-processes.ts';
import { UsageError } from '../../../../producers/cli/usage-error.ts';

const queues = allQueues.map(({ name }) => name);

test('every queue has its worker, beside api, dashboard, cron and relay', () => {
  const processes = fleetProcesses({});
  expect(processes.map(({ name }) => name).sort()).toEqual(
    ['api', 'dashboard', 'cron', 'relay', ...queues].sort(),
  );
  expect(processes.every(({ replicas }) => replicas === 1)).toBe(true);
});

test('only the named workers are started', () => {
  const workers = fleetProcesses({ workers: ['call-time-prediction'] }).filter(
    ({ stage }) => stage === 'worker',
  );
  expect(workers).toEqual([
    {
      name: 'call-time-prediction',
      stage: 'worker',
      arguments: ['worker', 'call-time-prediction'],
      replicas: 1,
    },
  ]);
  expect(fleetProcesses({ workers: [] }).some(({ stage }) => stage === 'worker')).toBe(false);
});

test('replicas are counted by name', () => {
  const processes = fleetProcesses({ replicas: { 'call-time-prediction': 3, relay: 2 } });
  const replicas = Object.fromEntries(processes.map((process) => [process.name, process.replicas]));
  expect(replicas).toMatchObject({ api: 1, relay: 2, 'call-time-prediction': 3 });
});

test('an unknown name is wrong usage and told with the known ones', () => {
  expect(() => fleetProcesses({ workers: ['nope'] })).toThrow(UsageError);
  expect(() => fleetProcesses({ workers: ['nope'] })).toThrow(/no worker nope.*call-time-prediction/);
  expect(() => fleetProcesses({ replicas: { nope: 2 } })).toThrow(/nope cannot have replicas.*relay/);
});

test.each(['api', 'dashboard'])('the %s has one port and therefore no replicas', (name) => {
  expect(() => fleetProcesses({ replicas: { [name]: 2 } })).toThrow(UsageError);
});
