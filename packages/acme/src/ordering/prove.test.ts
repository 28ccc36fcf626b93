import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import type { DnsProvider, TxtRecord } from '../challenges/dns-provider.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import { Prover } from './prove.ts';

describe('a proof by DNS', () => {
  const proof = { name: 'a.example.com', url: 'https://ca/c', token: 't' };
  const request = { challenge: 'dns-01' as const, proofs: [proof], keyAuthorization: (token: string) => `${token}.x` };
  const { signal } = new AbortController();

  /** Nothing listens at the only resolver. */
  const proverWithoutDns = () => {
    const calls: string[] = [];
    const call = (kind: string) => async (record: TxtRecord) => {
      calls.push(`${kind} ${record.name}`);
    };
    const provider: DnsProvider = { description: 'fake', present: call('present'), cleanup: call('cleanup') };
    const prover = new Prover({
      writer: {} as FencedWriter,
      dns: { for: () => provider },
      resolvers: ['127.0.0.1:1'],
      barrier: async () => undefined,
      logger: silentLogger,
    });
    return { prover, calls };
  };

  it('writes no record where the DNS does not resolve whether an alias stands in its place', async () => {
    const { prover, calls } = proverWithoutDns();
    const error = await prover.publish(request, signal).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'dns-lookup' });
    expect(calls).to.deep.equal([]);
  });

  it('is taken back without an error, and without removing a record of another name', async () => {
    const { prover, calls } = proverWithoutDns();
    await prover.takeBack(request, signal);
    expect(calls).to.deep.equal([]);
  });
});
