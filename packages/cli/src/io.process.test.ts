import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const command = fileURLToPath(new URL('../bin/swarmgate.mjs', import.meta.url));

describe('the command’s output', () => {
  it('may be read in part, as head does, without a failure', async () => {
    const child = spawn(process.execPath, [command, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let error = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      error += part;
    });
    const [code] = await once(child, 'close');
    expect({ code, error }).to.deep.equal({ code: 0, error: '' });
  });

  it('ends a command that would go on for ever when its reader has gone', async () => {
    const window = { requestsPerSecond: 0, errorsPercent: 0, p50Ms: null, p90Ms: null, p99Ms: null, retries: 0 };
    const response = { replicas: [{ replica: 'one', services: 'all' }], total: { lastMinute: window }, services: [] };
    const server = createServer((_request, reply) => reply.end(JSON.stringify(response))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = spawn(process.execPath, [command, 'top', '--interval', '0.05', '--url', url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      let error = '';
      child.stderr.setEncoding('utf8').on('data', (part: string) => {
        error += part;
      });
      const [first] = await once(child.stdout, 'data');
      expect(String(first)).to.include('last minute of one');
      child.stdout.destroy();
      const [code] = await once(child, 'close');
      expect({ code, error }).to.deep.equal({ code: 0, error: '' });
    } finally {
      child.kill('SIGKILL');
      server.close();
    }
  });
});
