import { once } from 'node:events';
import dynalite from 'dynalite';
import type { ReadyMessage } from '../process/run-process.ts';

// The DynamoDB emulator as a process of its own: `node dynamodb-process.ts PORT FOLDER`. It tells its
// parent when it is ready, and ends on SIGTERM or when its parent is gone.

const [port, folder] = process.argv.slice(2);
if (port === undefined || folder === undefined) throw new Error('give a port and a folder');
const server = dynalite({ path: folder, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) {
  process.once(event, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

// Longer than clients keep a connection: one that is closed in the moment of its next call fails that.
server.keepAliveTimeout = 600_000;
server.listen(Number(port), '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${port}`;
process.send?.({ kind: 'ready', url, healthUrl: url } satisfies ReadyMessage);
