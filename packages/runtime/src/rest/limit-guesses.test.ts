import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { silentLogger } from '../logger.ts';
import { limitGuesses } from './limit-guesses.ts';

describe('the limit of guesses of a token', () => {
  const access = { adminToken: 'right', metricsToken: 'scraper' } as const;

  function limiting(tokens: Parameters<typeof limitGuesses>[0]['access'] = access) {
    let nowMs = 1_000;
    const warned: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warned.push(fields) } as typeof silentLogger;
    const limit = limitGuesses({ access: tokens, logger, nowMs: () => nowMs }, ({ url }) => url === '/exempt');
    /** The status, or `next`; and the headers. */
    const call = (authorization: string | undefined, url = '/v1/status', remoteAddress = '10.0.0.1') => {
      const found: { status: number | 'next'; headers: Readonly<Record<string, string>> } = { status: 0, headers: {} };
      const request = { url, headers: { authorization }, socket: { remoteAddress } } as unknown as IncomingMessage;
      const response = {
        writeHead: (status: number, headers: Readonly<Record<string, string>>) =>
          Object.assign(found, { status, headers }),
        end: () => undefined,
      } as unknown as ServerResponse;
      limit(request, response, () => {
        found.status = 'next';
      });
      return found;
    };
    const exhaust = (url?: string) => {
      for (let count = 0; count < 10; count += 1) expect(call(`Bearer guess-${count}`, url).status).to.equal('next');
    };
    const pass = (ms: number) => {
      nowMs += ms;
    };
    return { call, exhaust, pass, warned };
  }

  it('lets ten of an address through to their 401, one more every 6 s, and names when the next may come', () => {
    const { call, exhaust, pass, warned } = limiting();
    exhaust();
    expect(warned).to.deep.equal([{ from: '10.0.0.1' }]);
    for (let count = 0; count < 100; count += 1) {
      const { status, headers } = call(`Bearer more-${count}`);
      expect(status).to.equal(429);
      expect(headers).to.include({ 'Retry-After': '6', 'X-Swarmgate-Reason': 'tries-limited', Connection: 'close' });
    }
    expect(warned, 'the log is bounded as the guesses are').to.have.length(1);
    expect(call('Bearer guess', undefined, '10.0.0.2').status).to.equal('next');
    pass(6_000);
    expect(call('Bearer guess').status).to.equal('next');
    expect(call('Bearer guess').status).to.equal(429);
  });

  for (const [title, authorization, url] of [
    ['the right token', 'Bearer right', '/v1/status'],
    ['the right token, spelled as RFC 6750 allows', 'bearer  right ', '/v1/status'],
    ['METRICS_TOKEN', 'Bearer scraper', '/metrics'],
    ['no token', undefined, '/v1/status'],
    ['an empty one', 'Bearer ', '/v1/status'],
    ['credentials of another scheme, as a proxy in between may add', 'Basic YTpi', '/v1/status'],
    ['a call that no token decides', 'Bearer guess', '/exempt'],
  ] as const)
    it(`takes ${title} at any time, also while the same address guesses, and does not count it`, () => {
      const { call, exhaust } = limiting();
      for (let count = 0; count < 50; count += 1) expect(call(authorization, url).status).to.equal('next');
      exhaust();
      expect(call('Bearer guess').status).to.equal(429);
      expect(call(authorization, url).status).to.equal('next');
    });

  for (const [title, tokens] of [
    ['where no token is set', { adminToken: undefined, metricsToken: undefined }],
    ['where everyone is let in', { adminToken: 'none', metricsToken: 'scraper' }],
  ] as const)
    it(`counts nothing ${title}`, () => {
      const { call } = limiting(tokens);
      for (let count = 0; count < 50; count += 1) expect(call(`Bearer guess-${count}`).status).to.equal('next');
    });

  it('counts guesses of METRICS_TOKEN where it is the only one', () => {
    const { call, exhaust } = limiting({ adminToken: undefined, metricsToken: 'scraper' });
    exhaust('/metrics');
    expect(call('Bearer guess', '/metrics?x').status).to.equal(429);
    expect(call('Bearer guess', '/v1/status').status, 'a token that is left over').to.equal('next');
  });
});
