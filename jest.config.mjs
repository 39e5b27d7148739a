const project = (name) => ({
  displayName: name,
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  roots: [`<rootDir>/test/${name}`],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
});

/** Jest runs these once, however many projects name them. */
const stores = {
  globalSetup: '<rootDir>/test/support/start-stores.mjs',
  globalTeardown: '<rootDir>/test/support/stop-stores.mjs',
};
const onStores = ['unit', 'architecture', 'contract', 'integration', 'chaos', 'browser'];

export default {
  projects: [...onStores.map((name) => ({ ...project(name), ...stores })), project('containers')],
  // For a busy machine; no test takes more than a fraction of it on a quiet one.
  testTimeout: 180_000,
  // One more than processors: most tests wait for something most of the time.
  maxWorkers: 3,
};
