import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runMain } from '../../test/run-main.ts';

/** Commands that make every kind of call: GET, POST, a stream, several at once, and one to a listener. */
const commands: readonly (readonly string[])[] = [
  ['status'],
  ['routes'],
  ['problems'],
  ['explain', 'http://shop.example/'],
  ['top', '--count', '1'],
  ['tail'],
  ['certificates'],
  ['certificates', 'renew', 'shop.example'],
  ['reconfigure', 'shop', 'servicePath=/shop', 'port=8080'],
  ['reload'],
  ['history', 'shop'],
  ['rollback', 'shop'],
  ['restore'],
  ['maintenance'],
  ['maintenance', 'shop', 'on'],
  ['check'],
  ['diff'],
  ['adopt'],
];

describe('a call that the process takes none of', () => {
  let server: Server;
  let url: string;
  let folder: string;
  let response: { status: number; reason: string; message: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-refused-'));
    writeFileSync(join(folder, 'stack.yml'), 'services:\n  web:\n    deploy:\n      labels: [com.df.notify=true]\n');
    server = createServer((request, reply) => {
      request.resume();
      reply.writeHead(response.status, {
        'content-type': 'application/json',
        'x-swarmgate-reason': response.reason,
      });
      reply.end(JSON.stringify({ Status: 'NOK', Message: response.message }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const files = ['check', 'diff'].includes(args[0] ?? '') ? [join(folder, 'stack.yml')] : [];
    return runMain([...args, ...files], { SWARMGATE_URL: url, LISTENER_URL: url, ...env });
  };

  for (const args of commands)
    it(`for its token names ADMIN_TOKEN and how to set it: ${args.join(' ')}`, async () => {
      response = { status: 401, reason: 'token-needed', message: 'this call needs a token' };
      const { error, code } = await run(args);
      expect(error).to.include('this call needs a token').and.include('set ADMIN_TOKEN in the environment');
      expect(error).to.include('ADMIN_TOKEN_FILE').and.not.include('is not that of');
      expect(code).to.be.oneOf([1, 2]);
    });

  // `check` and `diff` end before they print anything, and `adopt` calls a listener.
  for (const args of commands.filter(([name]) => !['check', 'diff'].includes(name ?? '')))
    it(`has the same remedy in its JSON: ${args.join(' ')}`, async () => {
      response = { status: 401, reason: 'token-needed', message: 'this call needs a token' };
      const { out, error, code } = await run([...args, '--json']);
      expect(error).to.equal('');
      const { remedy, ...body } = JSON.parse(out) as { readonly remedy?: unknown };
      expect(remedy)
        .to.be.a('string')
        .that.includes('set ADMIN_TOKEN in the environment')
        .and.includes('ADMIN_TOKEN_FILE');
      expect([body, code]).to.deep.equal([{ Status: 'NOK', Message: 'this call needs a token' }, 1]);
    });

  it('has no remedy in its JSON where the response itself names what to do', async () => {
    response = { status: 403, reason: 'loopback-only', message: 'no ADMIN_TOKEN is set: set it on every proxy' };
    const { out } = await run(['status', '--json']);
    expect(JSON.parse(out)).to.deep.equal({ Status: 'NOK', Message: response.message });
  });

  it('for another token than the proxy’s says that it was sent', async () => {
    response = { status: 401, reason: 'token-needed', message: 'this call needs a token' };
    const { error } = await run(['status'], { ADMIN_TOKEN: 'a-former-one' });
    expect(error).to.include(`the ADMIN_TOKEN of this command is not that of ${url}`).and.not.include('a-former-one');
    expect((await run(['status'], { ADMIN_TOKEN: 'none' })).error, 'none is never sent').to.not.include('is not that');
  });

  for (const args of commands.filter(([name]) => name !== 'adopt'))
    it(`because it has no TLS names the https:// address: ${args.join(' ')}`, async () => {
      response = { status: 400, reason: 'tls-needed', message: 'this port takes HTTPS only' };
      const { error, code } = await run(args);
      expect(error).to.include('this port takes HTTPS only');
      expect(error).to.include(`SWARMGATE_URL=${url.replace('http:', 'https:')} or --url`);
      expect(code).to.be.oneOf([1, 2]);
    });

  it('by TLS, at a port without, names the http:// address', async () => {
    const { error, code } = await run(['status'], { SWARMGATE_URL: url.replace('http:', 'https:') });
    expect(error).to.include(`SWARMGATE_URL=${url} or --url`);
    expect(code).to.equal(2);
  });

  it('for any other reason is shown as the process says it', async () => {
    response = { status: 403, reason: 'loopback-only', message: 'no ADMIN_TOKEN is set: set it on every proxy' };
    expect((await run(['status'])).error).to.equal('refused (403): no ADMIN_TOKEN is set: set it on every proxy\n');
  });
});
