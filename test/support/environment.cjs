// Jest runs each test file in a VM context of its own. Errors that Node's core creates (fs, net, fetch,
// AbortSignal) belong to the outer realm and would not be `instanceof Error` inside: make them so.
const { TestEnvironment } = require('jest-environment-node');
const ordinary = Function.prototype[Symbol.hasInstance];

module.exports = class extends TestEnvironment {
  async setup() {
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
};
