import { expect } from 'chai';
import { connectConsul, consulUrl } from './consul-client.ts';

describe('the address of Consul', () => {
  for (const [address, secure, origin] of [
    ['consul', false, 'http://consul:8500'],
    ['consul:8501', true, 'https://consul:8501'],
    ['127.0.0.1:8500', false, 'http://127.0.0.1:8500'],
    ['http://consul:80', false, 'http://consul'],
    ['https://consul.example:443', false, 'https://consul.example'],
    ['https://consul.example', false, 'https://consul.example:8500'],
    ['[::1]:8500', false, 'http://[::1]:8500'],
  ] as const)
    it(`${address} is ${origin}`, () => {
      expect(consulUrl({ address, secure }).origin).to.equal(origin);
    });

  for (const [address, port] of [
    ['http://consul:80', 80],
    ['https://consul.example:443', 443],
    ['consul', 8500],
  ] as const)
    it(`${address} is called at port ${port}`, () => {
      const { client } = connectConsul({ address });
      // Its own form of a URL: the port is empty where the scheme says it.
      const { baseUrl } = (client as unknown as { _opts: { baseUrl: { readonly port: string } } })._opts;
      expect(Number(baseUrl.port) || (address.startsWith('https') ? 443 : 80)).to.equal(port);
      client.destroy();
    });
});
