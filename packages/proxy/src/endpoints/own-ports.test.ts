import { expect } from 'chai';
import { OwnPorts } from './own-ports.ts';

describe('OwnPorts', () => {
  const own = new OwnPorts(() => ['127.0.0.1', '10.0.1.7', '::1', 'fe80::42:1', 'fd00::7']);
  own.add(8080);

  const cases = [
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['0.0.0.0', true],
    ['::', true],
    ['::1', true],
    ['[::1]', true],
    ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', true],
    ['::ffff:7f00:1', true],
    ['::ffff:0:0', true],
    ['::127.0.0.1', true],
    ['64:ff9b::127.0.0.1', true],
    ['10.0.1.7', true],
    ['::ffff:10.0.1.7', true],
    ['::ffff:a00:107', true],
    ['fe80::42:1%eth0', true],
    ['FD00:0::7', true],
    ['10.0.1.8', false],
    ['::ffff:10.0.1.8', false],
    ['fd00::8', false],
    // Names are looked at when they are resolved.
    ['localhost', false],
    ['', false],
  ] as const;
  for (const [address, leadsHere] of cases)
    it(`${leadsHere ? 'takes' : 'does not take'} ${address || 'an empty text'} for an own address`, () => {
      expect(own.leadsHere(address, 8080)).to.equal(leadsHere);
      expect(own.leadsHere(address, 8081)).to.equal(false);
    });

  it('contains a port for as long as it is open, however often it was added', () => {
    const ports = new OwnPorts(() => []);
    const [first, second] = [ports.add(1), ports.add(1)];
    first();
    first();
    expect(ports.leadsHere('127.0.0.1', 1)).to.equal(true);
    second();
    expect(ports.leadsHere('127.0.0.1', 1)).to.equal(false);
  });

  it('contains an address that is attached later', () => {
    let nowMs = 0;
    const addresses: string[] = [];
    const ports = new OwnPorts(
      () => addresses,
      () => nowMs,
    );
    ports.add(1);
    expect(ports.leadsHere('10.0.9.1', 1)).to.equal(false);
    addresses.push('10.0.9.1');
    nowMs = 1_000;
    expect(ports.leadsHere('10.0.9.1', 1)).to.equal(true);
  });

  describe('with a registry', () => {
    const places = new OwnPorts(() => ['127.0.0.1', '10.0.1.7']);
    const resolved = places.close('consul', 8500);
    resolved(['10.0.1.9', 'fd00::9']);
    const table = [
      ['consul', true],
      ['Consul.', true],
      ['tasks.consul', true],
      ['10.0.1.9', true],
      ['::ffff:10.0.1.9', true],
      ['[fd00:0::9]', true],
      ['10.0.1.8', false],
      ['10.0.1.7', false],
      ['127.0.0.1', false],
      ['consul-ui', false],
    ] as const;
    for (const [address, isClosed] of table)
      it(`${isClosed ? 'closes' : 'leaves'} ${address}`, () => {
        expect(places.leadsHere(address, 8500)).to.equal(isClosed);
        expect(places.leadsHere(address, 8501)).to.equal(false);
      });

    it('closes every address of this machine where the registry runs on it', () => {
      const local = new OwnPorts(() => ['10.0.1.7']);
      local.close('127.0.0.1', 8500);
      for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '10.0.1.7'])
        expect(local.leadsHere(address, 8500), address).to.equal(true);
      expect(local.leadsHere('10.0.1.8', 8500)).to.equal(false);
    });

    it('follows the registry to another address', () => {
      const moving = new OwnPorts(() => []);
      const moved = moving.close('consul', 8500);
      moved(['10.0.1.9']);
      moved(['10.0.1.10']);
      expect(moving.leadsHere('10.0.1.10', 8500)).to.equal(true);
      expect(moving.leadsHere('10.0.1.9', 8500)).to.equal(false);
    });
  });
});
