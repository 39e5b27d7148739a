import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from '../errors/classify.ts';

// Below the range that Linux (32768 up) and macOS (49152 up) take ports for outgoing connections from: in
// that range a client that tries to reconnect could sit on the port while its server is being restarted.
const lowestPort = 20_000;
const highestPort = 32_000;

/** Given to this process. */
const claimed = new Set<number>();

/**
 * A TCP port that nothing listens on: the wanted one if it is free, else any other. It stays this process's own: no
 * other one that looks for a port is given it, not even before its server listens or while that is being restarted.
 */
export async function findFreePort(wanted?: number, host = '127.0.0.1'): Promise<number> {
  if (wanted !== undefined && (await isPortFree(wanted, host)) && (await claimPort(wanted))) return wanted;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(lowestPort, highestPort);
    if (!claimed.has(port) && (await isPortFree(port, host)) && (await claimPort(port))) return port;
  }
  throw new Error(`no free TCP port was found on ${host}`);
}

/**
 * Claims a port by its UDP twin, which nobody needs and the system takes back when this process ends. Answers whether
 * it is this process's now.
 */
async function claimPort(port: number): Promise<boolean> {
  if (claimed.has(port)) return true;
  const claim = createSocket('udp4');
  try {
    claim.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(claim, 'listening');
  } catch {
    claim.close();
    return false;
  }
  claim.unref();
  claimed.add(port);
  return true;
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
