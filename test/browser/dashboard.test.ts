import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { openBrowser } from '../support/open-browser.ts';
import { openDashboard, type TestDashboard } from '../support/open-dashboard.ts';
import { openTestFleet, type TestFleet } from '../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../support/until.ts';

const key = 'the-key-of-the-operator';
const keys = [
  {
    name: 'operator',
    scopes: new Set(['operate'] as const),
    sha256: createHash('sha256').update(key).digest(),
  },
];
const queuePath = `/queues/queue/${callTimePrediction.name}`;
/** Run by the browser: the words and the names of the icons of everything that can be pressed. */
const controlsInThePage = `
  [...document.querySelectorAll('button, [role=button], [role^=menuitem], input[type=submit]')].map((control) =>
    [
      control.textContent,
      control.title,
      control.ariaLabel,
      ...[...control.querySelectorAll('svg')].map((icon) => icon.getAttribute('class')),
    ].join(' '))`;
const hostileId = `contact "<img src=x onerror=alert(1)>'`;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let fleet: TestFleet;
let dashboard: TestDashboard;
let url: string;
/** Requests that left for anywhere but the dashboard. */
let outside: string[];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  dashboard = await openDashboard(fleet, [callTimePrediction], keys);
  url = await dashboard.server.listen({ host: '127.0.0.1', port: 0 });
  context = await browser.newContext({ httpCredentials: { username: 'ann', password: key } });
  context.setDefaultTimeout(busyMachineMs);
  page = await context.newPage();
  outside = [];
  page.on('response', (response) => {
    if (!response.url().startsWith(url)) outside.push(response.url());
  });
});
afterEach(async () => {
  await context.close();
  await dashboard[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

async function submit(contactId = 'someone'): Promise<string> {
  const payload = { contacts: [{ id: contactId, phoneNumber: '+972501234567' }] };
  return (await fleet.enqueue.enqueue(callTimePrediction, payload)).id;
}
const stateOf = async (id: string) => (await fleet.ledger.read(id))?.state;

async function submitFailing(contactId: string): Promise<string> {
  const id = await submit(contactId);
  const consumer = fleet.consume(callTimePrediction, {
    start() {
      throw new JobError('permanent', 'The model is gone', { code: 'GONE' });
    },
  });
  await until(async () => (await stateOf(id)) === 'failed');
  await consumer[Symbol.asyncDispose]();
  return id;
}

test('asks for the key', async () => {
  for (const given of [{}, { httpCredentials: { username: 'ann', password: 'guessed' } }]) {
    await using stranger = await browser.newContext(given);
    stranger.setDefaultTimeout(busyMachineMs);
    const strangersPage = await stranger.newPage();
    const refused = strangersPage.waitForResponse(`${url}/queues`);
    // Where nobody can type a key in, Chromium may call that an error of the net.
    await Promise.allSettled([strangersPage.goto(`${url}/queues`)]);
    expect((await refused).status()).toBe(401);
    expect(await (await refused).headerValue('www-authenticate')).toBe('Basic realm="Presage"');
  }
  expect((await page.goto(`${url}/queues`))?.status()).toBe(200);
});

test('shows the queues with live counts, from its own files alone', async () => {
  await Promise.all([submit(), submit()]);
  await page.goto(`${url}/queues`);
  await page.getByText(callTimePrediction.name).first().waitFor();
  await page.getByLabel('2 Jobs').waitFor();
  await submit();
  await page.getByLabel('3 Jobs').waitFor(); // without being loaded again
  expect(outside).toEqual([]);
});

test('offers nothing that changes a queue or a job', async () => {
  const failed = await submitFailing('someone');
  await submit();
  const controls: string[] = [];
  const readControls = async () => void controls.push(...(await page.evaluate<string[]>(controlsInThePage)));
  const pages = ['/queues', queuePath, `${queuePath}?status=failed`, `${queuePath}?status=waiting`];
  for (const path of [...pages, `${queuePath}/${failed}`]) {
    await page.goto(url + path);
    const isOverview = path === '/queues';
    await page
      .getByRole('link', { name: isOverview ? callTimePrediction.name : 'Ledger' })
      .first()
      .waitFor();
    await readControls();
    const menus = page.locator('button[aria-haspopup=menu]');
    for (let menu = 0; menu < (await menus.count()); menu += 1) {
      await menus.nth(menu).click();
      await page.getByRole('menu').first().waitFor();
      await readControls();
      await page.keyboard.press('Escape');
      await page.getByRole('menu').first().waitFor({ state: 'hidden' });
    }
  }
  expect(controls.length).toBeGreaterThan(20);
  const changing =
    /retry|refresh|rotate|ban|clean|pause|resume|play|\badd\b|plus|delete|remove|trash|promote|empty|eraser|obliterate|duplicate|edit|pencil|update/i;
  expect(controls.filter((control) => changing.test(control))).toEqual([]);
});

test('a job on the board leads to its page in the ledger', async () => {
  const id = await submitFailing('someone');
  await page.goto(`${url}${queuePath}/${id}`);
  const link = page.getByRole('link', { name: 'Ledger', exact: true });
  await link.waitFor();
  expect(await link.getAttribute('href')).toBe(`/jobs/${id}`);
  await page.goto(`${url}/jobs/${id}`);
  await page.getByText('The model is gone').waitFor();
  await page.getByRole('link', { name: id }).click(); // and back
  await page.waitForURL(`${url}${queuePath}/${id}`);
});

test('a contact id typed into the search finds its job, whose buttons steer it', async () => {
  const id = await submitFailing(hostileId);
  await submit('somebody else');
  let alerted = false;
  page.on('dialog', (dialog) => {
    alerted = true;
    void dialog.dismiss();
  });
  await page.goto(`${url}/jobs`);
  await page.getByLabel('Search').fill(hostileId);
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByText('1 job found.').waitFor();
  expect(await page.getByLabel('Search').inputValue()).toBe(hostileId);
  await page.getByRole('link', { name: id }).click();

  const payload = page.locator('details', { hasText: 'Payload' });
  expect(await payload.locator('pre').isVisible()).toBe(false);
  await payload.locator('summary').click();
  expect(await payload.locator('pre').textContent()).toContain(JSON.stringify(hostileId));
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('button', { name: 'Cancel' }).waitFor();
  expect(await stateOf(id)).toBe('accepted');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Retry' }).waitFor();
  expect(await stateOf(id)).toBe('cancelled');
  expect(alerted).toBe(false);
  expect(outside).toEqual([]);
});

describe('a page of another origin', () => {
  let attacker: Server;
  let attackerUrl: string;
  let content: string;
  beforeEach(async () => {
    attacker = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end(content);
    }).listen(0, '127.0.0.1');
    await once(attacker, 'listening');
    attackerUrl = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    attacker.close();
    attacker.closeAllConnections();
  });

  test('cannot retry a job, though the browser sends the key along', async () => {
    const id = await submitFailing('someone');
    await page.goto(`${url}/jobs/${id}`); // from here on the browser knows the key
    content = `<form method="post" action="${url}/jobs/${id}/retry"></form><script>document.forms[0].submit()</script>`;
    const answered = page.waitForResponse(`${url}/jobs/${id}/retry`);
    await page.goto(attackerUrl);
    expect((await answered).status()).toBe(403);
    content = `<script>fetch('${url}/jobs/${id}/retry', { method: 'POST', mode: 'no-cors', credentials: 'include' })
      .finally(() => { document.title = 'done'; })</script>`;
    await page.goto(attackerUrl);
    await page.waitForFunction('document.title === "done"');
    expect(await stateOf(id)).toBe('failed');
  });

  test('cannot put a page of ours into a frame', async () => {
    const id = await submitFailing('someone');
    await page.goto(`${url}/jobs/${id}`);
    content = `<iframe src="${url}/jobs/${id}"></iframe>`;
    await page.goto(attackerUrl);
    const frame = page.frames().find((candidate) => candidate !== page.mainFrame());
    expect(await frame?.getByRole('button', { name: 'Retry' }).count()).toBe(0);
  });
});
