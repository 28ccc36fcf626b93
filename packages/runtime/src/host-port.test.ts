import { expect } from 'chai';
import { hostPort } from './host-port.ts';

describe('a host and its port', () => {
  const cases = [
    ['::', '[::]:8080'],
    ['[::1]', '[::1]:8080'],
    ['10.0.0.7', '10.0.0.7:8080'],
    ['tasks.shop', 'tasks.shop:8080'],
  ] as const;
  for (const [host, text] of cases)
    it(`makes ${text} of ${host}`, () => {
      expect(hostPort(host, 8080)).to.equal(text);
    });
});
