import { expect } from 'chai';
import { issuerOf } from '../orders/issuers.ts';
import type { OrderingContext } from './order-context.ts';
import { away } from './settle-order.ts';

describe('a CA without a usable response', () => {
  it('is reported with URL and cause from its first failure on, and counts as no failure of the name', () => {
    const detail = 'GET https://ca.internal/dir: connect ECONNREFUSED 10.0.0.9:443';
    const context = {
      access: { failures: () => 1, lastError: () => detail, notBeforeMs: () => 5_000 },
      writer: { documents: new Map() },
    } as unknown as OrderingContext;
    const subject = {
      names: ['a.example.com'],
      services: ['swarm/a'],
      issuer: 'ca',
      challenge: 'http-01' as const,
    };
    const [document] = away(subject, issuerOf('https://ca.internal/dir'), context).values();
    expect(JSON.parse(document ?? '{}')).to.deep.include({ name: 'a.example.com', failures: 0, nextAttemptMs: 5_000 });
    expect(JSON.parse(document ?? '{}').failure).to.include({ type: 'unreachable', detail });
  });
});
