// Jest runs each test file in a VM context of its own. Errors that Node's core creates (fs, net, fetch,
// AbortSignal) belong to the outer realm and would not be `instanceof Error` inside: make them so.
const { TestEnvironment } = require('jest-environment-node');
const ordinary = Function.prototype[Symbol.hasInstance];

// A file that leaves one of these open leaked a worker, a client, a server or a timer.
const countedResources = ['TCPSocketWrap', 'TCPServerWrap', 'ProcessWrap', 'Timeout'];
// Longer than what HTTP clients keep an idle connection, and its timer, for, on a busy machine.
const closeWithinMs = 60_000;

function countOpen() {
  const open = process.getActiveResourcesInfo();
  return new Map(countedResources.map((kind) => [kind, open.filter((name) => name === kind).length]));
}

// Test files see a copy of the environment, so what forbids this in the product has no effect on native libraries here.
process.env.ORT_DISABLE_TELEMETRY = '1';

module.exports = class extends TestEnvironment {
  failures = [];

  /** Jest tells nothing of the tests of a file that leaks: this error says which of them failed, and why. */
  handleTestEvent(event) {
    if (event.name !== 'test_done') return;
    for (const [error] of event.test.errors) {
      this.failures.push(`${event.test.name}: ${error?.stack ?? error}`);
    }
  }

  async setup() {
    this.openBefore = countOpen();
    await super.setup();
    for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'AggregateError']) {
      const inner = this.global[name];
      const outer = globalThis[name];
      Object.defineProperty(inner, Symbol.hasInstance, {
        configurable: true,
        value(candidate) {
          return ordinary.call(this, candidate) || (this === inner && candidate instanceof outer);
        },
      });
    }
    this.global.Uint8Array = globalThis.Uint8Array;
    this.global.ArrayBuffer = globalThis.ArrayBuffer;
  }

  async teardown() {
    const deadline = Date.now() + closeWithinMs;
    let leaked;
    do {
      const open = countOpen();
      leaked = countedResources.filter((kind) => open.get(kind) > this.openBefore.get(kind));
      if (leaked.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    } while (leaked.length > 0 && Date.now() < deadline);
    await super.teardown();
    if (leaked.length > 0) {
      throw new Error(
        [`This file left open what it opened: ${leaked.join(', ')}`, ...this.failures].join('\n'),
      );
    }
  }
};
