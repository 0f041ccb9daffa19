import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where a Chromium may be; `SONOGROUND_CHROMIUM` names another. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine, if it has one. */
export const chromiumPath: string | undefined = [process.env['SONOGROUND_CHROMIUM'] ?? '', ...PLACES].find((path) =>
  existsSync(path),
);

const NO_BROWSER = 'there is no Chromium here (apt-get install chromium, or name one with SONOGROUND_CHROMIUM)';

/** Why tests in a browser are skipped; undefined where there is one. */
export const browserMissing: string | undefined = chromiumPath === undefined ? NO_BROWSER : undefined;

/** The same for names that are put together by hand. */
export const noBrowser = `skipped: ${NO_BROWSER}`;

/** @param args - what is said about its graphics. Default: to do without. */
export async function openBrowser(args: readonly string[] = ['--disable-gpu']): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(NO_BROWSER);
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', ...args], timeout: NEVER });
}

/** A page that waits for as long as it takes; Playwright's own patience ends after half a minute. */
export async function openPage(browser: Browser, options?: BrowserContextOptions): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(NEVER);
  return page;
}

/** Playwright's word for no limit. */
const NEVER = 0;
