/**
 * Names in Redis. Each queue has a hash tag of its own, so that on a cluster all its keys share a slot
 * while the queues spread over the nodes. Tests give another namespace.
 */
export class RedisKeys {
  readonly namespace: string;

  constructor(namespace = 'presage') {
    this.namespace = namespace;
  }

  /** The BullMQ prefix of a queue. */
  prefix(queue: string): string {
    return `{${this.namespace}:${queue}}`;
  }

  /** Where BullMQ keeps a queue's own settings. */
  meta(queue: string): string {
    return `${this.prefix(queue)}:${queue}:meta`;
  }

  /** Vanishes when the node that holds the queue is wiped. */
  marker(queue: string): string {
    return `${this.prefix(queue)}:marker-of-the-relay`;
  }

  /** The channel on which one process hears of settled jobs that it waits for. */
  resultChannel(processId: string): string {
    return `${this.namespace}:results:${processId}`;
  }

  /** The channel on which every worker hears of cancelled jobs. */
  cancelChannel(): string {
    return `${this.namespace}:cancel`;
  }

  /** The channel on which workers hear that another version of a model is to be served; the message is its id. */
  modelsChannel(): string {
    return `${this.namespace}:models`;
  }

  /** Where each process of a queue tells which model it has loaded. */
  servedModels(queue: string): string {
    return `${this.namespace}:served-models:${queue}`;
  }

  /** Where the fleet counts what it asks of a vendor; on a cluster the counters spread like the caches. */
  vendorLimits(provider: string): string {
    return `${this.namespace}:vendor-limits:${provider}`;
  }
}
