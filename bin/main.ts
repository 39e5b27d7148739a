import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Compiled modules are kept between starts, which makes a start two to three times faster.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/presage'));
// What the environment itself names comes first.
const knownToNode = process.env['NODE_EXTRA_CA_CERTS'];
if (existsSync('.env')) process.loadEnvFile('.env');
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `presage jobs list | head`: whoever read has seen enough; what the command does is done all the same.
    if (error.code !== 'EPIPE') throw error;
  });
}

// Node.js read this before there was a file `.env`; the processes that this one starts get it in time.
if (process.env['NODE_EXTRA_CA_CERTS'] !== knownToNode) {
  const { trustAuthorities } = await import('../shared/config/trust-authorities.ts');
  try {
    trustAuthorities(process.env);
  } catch (error) {
    // Node.js goes on too: whoever needs them is refused, and says so.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

const argv = process.argv.slice(2);
// The exit code only: what still has to be written to a pipe is written before the process ends.
process.exitCode = argv.join(' ') === 'health' ? await askHealth() : await run();

/** Without the other commands, which take ten times as long to load: each container is asked every few seconds. */
async function askHealth(): Promise<number> {
  const { health } = await import('../producers/cli/health.ts');
  return health({ environment: process.env, output: process.stdout, messages: process.stderr });
}

async function run(): Promise<number> {
  const { runCommand } = await import('../producers/cli/main.ts');
  const { environmentOfRunningStack } = await import('../shared/config/run-file.ts');
  return runCommand(
    argv,
    {
      environment: environmentOfRunningStack(process.env, process.cwd()),
      stackEnvironment: process.env,
      workingDirectory: process.cwd(),
      input: process.stdin,
      output: process.stdout,
      messages: process.stderr,
    },
    {
      runWorkers: async (queues, environment) =>
        (await import('../workers/run-workers.ts')).runWorkers(queues, environment),
      runBenchmarks: async (names, options, context) =>
        (await import('../bench/run-benchmarks.ts')).runBenchmarks(names, options, context),
    },
  );
}
