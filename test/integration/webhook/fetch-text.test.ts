import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchText } from '../../../producers/webhook/fetch-text.ts';
import { busyMachineMs } from '../../support/until.ts';

const answers: Record<string, (response: ServerResponse) => void> = {
  '/text': (response) => response.end('a certificate'),
  '/none': (response) => response.writeHead(404).end('none'),
  '/elsewhere': (response) => response.writeHead(302, { location: '/text' }).end(),
  '/endless': (response) => {
    const more = (): void => {
      while (response.write('x'.repeat(8 * 1024)));
    };
    response.on('drain', more);
    more();
  },
  '/never': () => {},
  '/slow': (response) => void response.writeHead(200).write('x'),
};

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => answers[request.url ?? '']?.(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

const get = (path: string, timeoutMs = busyMachineMs) => fetchText(new URL(path, url), { timeoutMs });

test('gets a text with its status', async () => {
  expect(await get('/text')).toEqual({ status: 200, text: 'a certificate' });
  expect(await get('/none')).toEqual({ status: 404, text: 'none' });
});

test('a redirection is not followed', async () => {
  expect(await get('/elsewhere')).toEqual({ status: 302, text: '' });
});

test('an answer without an end is broken off', async () => {
  await expect(get('/endless')).rejects.toThrow('larger than 65536 bytes');
});

test.each(['/never', '/slow'])('%s is given up in time', async (path) => {
  await expect(get(path, 300)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('nobody there is an error', async () => {
  await expect(fetchText(new URL('http://127.0.0.1:1/'))).rejects.toThrow('fetch failed');
});
