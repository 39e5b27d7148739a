import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { openSagemakerServer } from '../../shared/emulators/sagemaker-server.ts';

// SageMaker's local server in a container, for the containers beside it: it listens on loopback only, this on every
// address of the container.
//
//   node test/containers/run-endpoint.ts --port 8080 --latency-ms 400

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, 'latency-ms': { type: 'string', default: '0' } },
});
const endpoint = await openSagemakerServer({ latencyMs: Number(values['latency-ms']) });
const port = Number(new URL(endpoint.url).port);
createServer((client) => {
  const server = connect(port, '127.0.0.1');
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(Number(values.port), '0.0.0.0');
process.once('SIGTERM', () => process.exit(0));
