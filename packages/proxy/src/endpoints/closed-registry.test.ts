import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { ClosedRegistry } from './closed-registry.ts';
import { OwnPorts } from './own-ports.ts';

describe('ClosedRegistry', () => {
  const cases = [
    ['127.0.0.1:8500', 8500],
    ['127.0.0.1', 8500],
    ['http://127.0.0.1:8501', 8501],
    ['http://127.0.0.1:80', 80],
    ['127.0.0.1:80', 80],
    ['https://127.0.0.1:443/', 443],
    ['https://127.0.0.1', 8500],
    ['[::1]:8500', 8500],
  ] as const;
  for (const [address, port] of cases)
    it(`closes port ${port} for ${address}`, () => {
      const own = new OwnPorts(() => []);
      new ClosedRegistry(address, own);
      expect(own.leadsHere('127.0.0.1', port)).to.equal(true);
      expect(own.leadsHere('127.0.0.1', port + 1)).to.equal(false);
    });

  it('resolves its name', async () => {
    const own = new OwnPorts(() => []);
    const ending = new AbortController();
    const registry = new ClosedRegistry('localhost:8500', own);
    expect(own.leadsHere('127.0.0.1', 8500)).to.equal(false);
    const following = registry.follow(ending.signal);
    await until('the address', () => own.leadsHere('127.0.0.1', 8500));
    ending.abort();
    await following;
  });
});
