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
  testTimeout: 60_000,
  maxWorkers: 2,
};
