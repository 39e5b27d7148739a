import { allQueues } from '../../shared/contracts/all-queues.ts';
import { modelServing } from '../../shared/contracts/model-serving.ts';
import { UsageError } from './usage-error.ts';

/** The order of stopping: what brings work in, what does it, what keeps both in step. */
export const stages = ['producer', 'worker', 'relay'] as const;
export type Stage = (typeof stages)[number];

/** A process of the fleet that `up` runs as a child. */
export interface FleetProcess {
  /** As in metrics and in the run file. */
  name: string;
  stage: Stage;
  /** Of the presage command. */
  arguments: readonly string[];
  replicas: number;
}

export interface FleetSelection {
  /** The queues whose workers are started; all without it. */
  workers?: readonly string[] | undefined;
  /** How many of a process are started, by its name; one if it is not named. */
  replicas?: Readonly<Record<string, number>> | undefined;
}

/** @throws UsageError that names what there is */
export function fleetProcesses({ workers, replicas = {} }: FleetSelection): FleetProcess[] {
  const queues = allQueues.map(({ name }) => name);
  const unknown = workers?.find((name) => !queues.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no worker ${unknown}. The workers are: ${queues.join(', ')}.`);
  }
  const processes: Omit<FleetProcess, 'replicas'>[] = [
    { name: 'api', stage: 'producer', arguments: ['api'] },
    { name: 'dashboard', stage: 'producer', arguments: ['dashboard'] },
    { name: 'cron', stage: 'producer', arguments: ['cron'] },
    { name: 'relay', stage: 'relay', arguments: ['relay'] },
    ...queues
      .filter((queue) => workers?.includes(queue) ?? true)
      .map((queue): Omit<FleetProcess, 'replicas'> => ({
        name: queue,
        stage: 'worker',
        arguments: ['worker', queue],
      })),
  ];
  // One of each of these, because they have one port.
  const single: readonly string[] = ['api', 'dashboard', modelServing.name];
  const scalable = processes.map(({ name }) => name).filter((name) => !single.includes(name));
  const misnamed = Object.keys(replicas).find((name) => !scalable.includes(name));
  if (misnamed !== undefined) {
    throw new UsageError(`${misnamed} cannot have replicas here. These can: ${scalable.join(', ')}.`);
  }
  return processes.map((process) => ({ ...process, replicas: replicas[process.name] ?? 1 }));
}
