import { spawnSync } from 'node:child_process';

// Ends with 1 and one sentence where the tests of the containers cannot be run.

const needed = [
  { args: ['compose', 'version'], what: 'the compose plugin of Docker (docker compose, version 2)' },
  { args: ['version', '--format', '{{.Server.Version}}'], what: 'a running Docker daemon' },
];

const missing = needed.find(({ args }) => spawnSync('docker', args, { stdio: 'ignore' }).status !== 0);
if (missing) {
  process.stderr.write(
    `npm run test:containers needs ${missing.what}: install or start it, or say with DOCKER_HOST where it is, ` +
      `until this works: docker ${missing.args.join(' ')}\n`,
  );
  process.exitCode = 1;
}
