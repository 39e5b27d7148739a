import { chromium, type Browser } from 'playwright-core';
import { busyMachineMs } from './until.ts';

/** Where Debian's package puts it; `npm run test:browser` installs it. */
const executablePath = '/usr/bin/chromium';

/** Headless Chromium with an empty profile of its own, which goes with it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: busyMachineMs,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
