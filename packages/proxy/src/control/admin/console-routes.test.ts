import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ConsoleFile } from '@swarmgate/console';
import { expect } from 'chai';
import express from 'express';
import { consoleRoutes } from './console-routes.ts';

const fileOf = (type: string, text: string, isHashed: boolean): ConsoleFile => ({
  type,
  bytes: Buffer.from(text),
  gzipped: gzipSync(text),
  isHashed,
});
const files = new Map([
  ['/', fileOf('text/html; charset=utf-8', '<!doctype html>', false)],
  ['/assets/app-AAAAAAAA.js', fileOf('text/javascript; charset=utf-8', 'run()', true)],
]);

/** Of `GET path`, at an admin port that serves these files. */
async function got(path: string, served = files, headers: Readonly<Record<string, string>> = {}) {
  const app = express().use(consoleRoutes(served));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers });
    return { response, text: await response.text() };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('the console’s files at the admin port', () => {
  for (const path of files.keys())
    it(`run under a policy that allows this port’s scripts and styles, and no inline ones: ${path}`, async () => {
      const { response } = await got(path);
      const policy = Object.fromEntries(
        (response.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
          const [name = '', ...sources] = directive.split(' ');
          return [name, sources.join(' ')];
        }),
      );
      expect(policy).to.deep.equal({
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' data:",
        'connect-src': "'self'",
        'base-uri': "'none'",
        'form-action': "'none'",
        'frame-ancestors': "'none'",
      });
      expect(response.headers.get('referrer-policy')).to.equal('no-referrer');
      expect(response.headers.get('content-type')).to.equal(files.get(path)?.type);
    });

  it('are kept by browsers where their name changes with their content, and only then', async () => {
    expect((await got('/assets/app-AAAAAAAA.js')).response.headers.get('cache-control')).to.equal(
      'public, max-age=31536000, immutable',
    );
    expect((await got('/')).response.headers.get('cache-control')).to.equal(null);
  });

  for (const [encoding, expected] of [
    ['gzip', 'gzip'],
    ['identity', null],
  ] as const)
    it(`come as ${encoding} where that is what the browser takes`, async () => {
      const { response, text } = await got('/', files, { 'Accept-Encoding': encoding });
      expect([response.headers.get('content-encoding'), text]).to.deep.equal([expected, '<!doctype html>']);
      expect(response.headers.get('vary')).to.equal('Accept-Encoding');
      expect(gunzipSync(files.get('/')?.gzipped ?? '').toString()).to.equal(text);
    });

  it('are 404 with what to run where the console was not built', async () => {
    const { response, text } = await got('/', new Map());
    expect([response.status, text]).to.deep.equal([404, 'The console is not built. Run `npm run build`.\n']);
  });
});
