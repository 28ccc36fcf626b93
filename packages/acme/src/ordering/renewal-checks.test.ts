import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { issuerOf } from '../orders/issuers.ts';
import type { AcmeChange } from '../storage/acme-head.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import type { AccountAccess } from './account-access.ts';
import { RenewalChecks } from './renewal-checks.ts';

describe('reading renewal information', () => {
  it('goes on after an unexpected error, an hour later', async () => {
    const nowMs = 1_000_000;
    const issuer = issuerOf('https://ca.example/directory');
    const facts = { version: 1, id: 'a', serial: '01', renewalId: 'x.y' };
    const certificate = {
      ...facts,
      names: ['a'],
      chain: '',
      sealedKey: '',
      issuer: issuer.id,
      issuedAtMs: 0,
      notBeforeMs: 0,
      notAfterMs: 9e12,
    };
    const renewal = { version: 1, id: 'a', serial: '01', renewAtMs: 5e12, source: 'lifetime', checkAtMs: 0 };
    const documents = new Map([
      ['certificates/a', JSON.stringify(certificate)],
      ['renewals/a', JSON.stringify(renewal)],
    ]);
    const writer = {
      documents,
      write: async (change: AcmeChange) => {
        for (const [key, value] of change.documents ?? []) documents.set(key, value ?? '');
        return 'h:1';
      },
    } as unknown as FencedWriter;
    const access = {
      client: async () => {
        throw new TypeError('unexpected');
      },
    } as unknown as AccountAccess;
    const ending = new AbortController();
    const checks = new RenewalChecks({
      writer,
      access,
      issuers: [issuer],
      logger: silentLogger,
      now: () => nowMs,
      random: () => 0,
      onChange: () => undefined,
    });
    const following = checks.follow(ending.signal);
    const read = () => JSON.parse(documents.get('renewals/a') ?? '{}');
    await Promise.race([following, until('it is put off', () => read().checkAtMs === nowMs + 3_600_000)]);
    expect(read()).to.include({ renewAtMs: 5e12, checkAtMs: nowMs + 3_600_000 });
    ending.abort();
    await following;
  });
});
