import { expect } from 'chai';
import { consulAddress, dockerAddress, redisAddress } from './address-parsers.ts';

describe('addresses of other processes', () => {
  const cases = [
    [consulAddress, ['consul', 'consul:8500', '[::1]:8500', 'http://consul:8500/', 'HTTPS://consul.example']],
    [dockerAddress, ['unix:///var/run/docker.sock', 'tcp://docker-api:2375', 'https://docker:2376']],
    [redisAddress, ['redis://redis', 'rediss://:p%40ss@redis:6380/1', 'redis:6379', '6379', '/run/redis.sock']],
  ] as const;
  for (const [parse, addresses] of cases)
    for (const address of addresses)
      it(`takes ${address} as ${parse.name}`, () => {
        expect(parse(address)).to.deep.equal({ ok: true, value: address });
      });

  const wrong = [
    [consulAddress, ['unix:///run/consul.sock', 'consul:99999', 'http://', 'con sul']],
    [dockerAddress, ['unix://', '/var/run/docker.sock', 'ssh://docker', 'docker:2375', 'npipe://docker']],
    [redisAddress, ['http://redis', 'mysql://redis', 'redis://', 'redis:99999']],
  ] as const;
  for (const [parse, addresses] of wrong)
    for (const address of addresses)
      it(`refuses ${address} as ${parse.name}`, () => {
        expect(parse(address).ok).to.equal(false);
      });
});
