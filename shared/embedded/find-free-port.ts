import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from '../errors/classify.ts';

// Below the range that Linux (32768 up) and macOS (49152 up) take ports for outgoing connections from: in
// that range a client that tries to reconnect could sit on the port while its server is being restarted.
const lowestPort = 20_000;
const highestPort = 32_000;

/** A TCP port that nothing listens on: the wanted one if it is free, else any other. */
export async function findFreePort(wanted?: number, host = '127.0.0.1'): Promise<number> {
  if (wanted !== undefined && (await isPortFree(wanted, host))) return wanted;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(lowestPort, highestPort);
    if (await isPortFree(port, host)) return port;
  }
  throw new Error(`no free TCP port was found on ${host}`);
}

export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch (error) {
    // Anything else (no such address, say) is not about the port; the server itself will report it.
    return errorCode(error) !== 'EADDRINUSE' && errorCode(error) !== 'EACCES';
  } finally {
    server.close();
  }
}

/**
 * Starts a server that cannot choose a port by itself. Between finding a free port and listening on it
 * somebody else may take it; then another one is tried.
 *
 * @param wanted the port of the last run, taken again if it is free
 */
export async function startOnFreePort<Server>(
  wanted: number | undefined,
  start: (port: number) => Promise<Server>,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort(wanted);
    try {
      return await start(port);
    } catch (error) {
      if (attempt === 3 || (await isPortFree(port))) throw error;
    }
  }
}
