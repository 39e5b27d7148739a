import { parseArgs } from 'node:util';
import { openLlmServer } from './llm-server.ts';

// The local LLM server as a process of its own: prints its URL on one line and serves until it is stopped or its
// parent ends. Chat completions are under `/v1` of the URL.
//
//   node shared/emulators/run-llm-server.ts [--port 0] [--latency-ms 200]

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'latency-ms': { type: 'string', default: '0' } },
});
const server = await openLlmServer({
  port: Number(values.port),
  latencyMs: Number(values['latency-ms']),
});
process.stdout.write(`${server.url}\n`);
for (const reason of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
  process.once(reason, () => process.exit(0));
}
