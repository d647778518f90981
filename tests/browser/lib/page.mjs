// Debian's chromium, and the demo's page in it.
import { chromium } from 'playwright-core';

const arguments_ = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export const laptop = { name: 'laptop', viewport: { width: 1440, height: 900 }, colorScheme: 'light' };
export const phone = {
  name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true,
};

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: arguments_ });

// A page whose `complaints` collect what the browser's console and network say against it.
export async function open(browser, url, { name, ...device }) {
  const context = await browser.newContext(device);
  const page = await context.newPage();
  page.complaints = [];

  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      page.complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.complaints.push(`script: ${error.message}`));
  page.on('requestfailed', (request) => page.complaints.push(`request: ${request.url()}`));
  await page.goto(url);
  return page;
}

// Waits until both clients of the demo are in the room.
export async function open_demo(browser, url, device) {
  const page = await open(browser, url, device);
  for (const pane of ['sio', 'native'])
    await page.waitForSelector(`#${pane} .state[data-state="connected"]`, { timeout: 20_000 });
  return page;
}

// The events of a pane, the latest first.
export const events_of = (page, pane) =>
  page.$$eval(`#${pane} .events li`, (items) => items.map((item) => ({
    event: item.querySelector('.event').textContent,
    data: item.querySelector('.data').textContent,
    late: item.querySelector('.late').textContent,
  })));
