import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { programPath } from './binary-image.ts';

export interface PageOptions {
  /** For basic authentication at one origin, sent when it is requested, and then remembered as a browser does. */
  readonly credentials?: { readonly origin: string; readonly username: string; readonly password: string };
  /** Takes any certificate. */
  readonly ignoreHTTPSErrors?: boolean;
}

/** Starts the browser so that it does not end its requests when an address of the machine changes. */
const withoutNetlink = fileURLToPath(new URL('chromium-without-netlink.py', import.meta.url));

/** Runs `visit` with a page of a headless Chromium of its own, with a new profile; both are gone afterwards. */
export async function withPage<T>(visit: (page: Page) => Promise<T>, options: PageOptions = {}): Promise<T> {
  const { credentials, ignoreHTTPSErrors = false } = options;
  const profile = mkdtempSync(join(tmpdir(), 'swarmgate-chromium-'));
  const program = process.env.CHROMIUM ?? programPath('chromium');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: existsSync('/usr/bin/python3') ? withoutNetlink : program,
    env: { ...process.env, CHROMIUM_PROGRAM: program },
    headless: true,
    viewport: { width: 1280, height: 860 },
    ignoreHTTPSErrors,
    ...(credentials === undefined ? {} : { httpCredentials: credentials }),
    // Tests run as root in containers, where Chromium's own sandbox cannot; and it should load nothing but our page.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    return await visit(context.pages()[0] ?? (await context.newPage()));
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Logs in to Consul's UI, as its page for tokens does: it keeps the token in the browser's storage. */
export async function logIn(page: Page, consul: { readonly url: string; readonly token: string }): Promise<void> {
  await page.goto(`${consul.url}/ui/`);
  const kept = JSON.stringify({ SecretID: consul.token });
  await page.evaluate(`localStorage.setItem('consul:token', ${JSON.stringify(kept)})`);
}
