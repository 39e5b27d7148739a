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

export default {
  projects: ['unit', 'architecture', 'contract', 'integration', 'chaos', 'browser'].map(project),
  globalSetup: '<rootDir>/test/support/start-stores.mjs',
  globalTeardown: '<rootDir>/test/support/stop-stores.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
};
