import fc from 'fast-check';

export type Fields = readonly (readonly [string, string])[];

const oneOf = (...fields: readonly (readonly [string, string])[]) => fc.constantFrom(...fields);
const rarely = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd });

const method = rarely(
  oneOf([':method', 'GET']),
  oneOf([':method', 'G T'], [':method', ''], [':method', 'M-SEARCH'], [':method', 'CONNECT'], ['x', 'y']),
);
const scheme = rarely(
  oneOf([':scheme', 'http']),
  oneOf([':scheme', 'https'], [':scheme', ''], [':scheme', 'a b'], ['x', 'y']),
);
const path = rarely(
  oneOf([':path', '/a?b']),
  oneOf([':path', ''], [':path', '*'], [':path', 'a'], [':path', '/a b'], [':path', '/\xff'], ['x', 'y']),
);
const authority = rarely(
  oneOf([':authority', 'a']),
  oneOf([':authority', ''], [':authority', 'u@a'], [':authority', 'a:80'], ['host', 'b'], ['x', 'y']),
);
const regular = oneOf(
  ['x', 'y'],
  ['x', ''],
  ['x', ' y'],
  ['x', 'y\t'],
  ['x', 'a\0b'],
  ['x', 'a\rb'],
  ['x', '\xff'],
  ['x', 'a\x01'],
  ['X', 'y'],
  ['x y', 'z'],
  ['x:', 'z'],
  ['', 'z'],
  ['x_y', 'z'],
  [':x', 'y'],
  [':path', '/'],
  [':status', '200'],
  ['host', 'a'],
  ['host', 'b'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'x'],
  ['te', 'trailers'],
  ['te', 'gzip'],
  ['keep-alive', 'x'],
  ['cookie', 'a=b'],
  ['cookie', 'c=d'],
  ['content-length', '0'],
  ['content-length', '4'],
  ['content-length', '+4'],
  ['content-length', '4,4'],
);
/** Heads of requests, of which most are right and the others are wrong in every way that a field can be. */
export const head: fc.Arbitrary<Fields> = fc
  .tuple(method, scheme, path, authority, fc.array(regular, { maxLength: 3 }))
  .map(([first, second, third, fourth, rest]) => [first, second, third, fourth, ...rest]);
