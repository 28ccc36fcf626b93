import { expect } from 'chai';
import type { Value } from '../values/value.ts';
import { countedBy, duration, hashedUser, hostName, network, serviceUrl, size, statusRange } from './option-values.ts';

const hash = '$2y$05$abcdefghijklmnopqrstuuJ9Kq1o4iB2c3d4e5f6g7h8i9j0k1l2m';

const cases: readonly (readonly [kind: string, value: Value<unknown>, raw: string, parsed: unknown])[] = [
  ['a duration', duration(0, 3_600_000), '500ms', 500],
  ['a duration', duration(0, 3_600_000), '10s', 10_000],
  ['a duration', duration(0, 3_600_000), '1.5m', 90_000],
  ['a duration', duration(0, 3_600_000), '2', 2_000],
  ['a duration', duration(100, 3_600_000), '99ms', undefined],
  ['a duration', duration(0, 3_600_000), '1h1m', undefined],
  ['a size', size(0, 2 ** 30), '64KB', 65_536],
  ['a size', size(0, 2 ** 30), '1 mb', 1_048_576],
  ['a size', size(0, 2 ** 30), '512', 512],
  ['a size', size(0, 1024), '2KB', undefined],
  ['a user', hashedUser, `jane:${hash}`, { username: 'jane', passwordHash: hash }],
  ['a user', hashedUser, 'jane:secret', undefined],
  ['a user', hashedUser, 'jane', undefined],
  ['a URL', serviceUrl, 'http://auth:9091/verify', 'http://auth:9091/verify'],
  ['a URL', serviceUrl, 'http://jane:secret@auth/', undefined],
  ['a URL', serviceUrl, 'http://auth/#part', undefined],
  ['a URL', serviceUrl, 'ftp://auth/', undefined],
  ['a host', hostName, 'Shop.Example:8080', 'shop.example'],
  ['a host', hostName, 'shop example', undefined],
  ['a network', network, '10.0.0.1', '10.0.0.1/32'],
  ['a network', network, '10.0.0.0/33', undefined],
  ['a key of counting', countedBy, 'header:X-Key', { kind: 'header', name: 'X-Key' }],
  ['a key of counting', countedBy, 'cookie:x', undefined],
  ['a range of statuses', statusRange, '404', { from: 404, to: 404 }],
  ['a range of statuses', statusRange, '500-599', { from: 500, to: 599 }],
  ['a range of statuses', statusRange, '599-500', undefined],
];

describe('values of options of middleware', () => {
  for (const [kind, value, raw, parsed] of cases)
    it(`${JSON.stringify(raw)} is ${parsed === undefined ? 'not ' : ''}${kind}`, () => {
      const read = value.parse(raw, { separator: ',' });
      expect(read.ok ? read.value : undefined).to.deep.equal(parsed);
    });
});
