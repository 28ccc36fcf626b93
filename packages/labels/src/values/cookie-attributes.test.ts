import { expect } from 'chai';
import { z } from 'zod';
import { cookieAttributes } from './cookie-attributes.ts';

describe('attributes of a cookie', () => {
  // [as written, as sent; undefined: refused]
  const cases = [
    ['HttpOnly', 'Path=/; HttpOnly'],
    ['\r\n\r\nHttpOnly\u200a;Secure\n', 'Path=/; HttpOnly; Secure'],
    [' path=/app ;httponly; SAMESITE=strict ', 'Path=/app; HttpOnly; SameSite=Strict'],
    ['SameSite=None', 'Path=/; SameSite=None; Secure'],
    ['SameSite=None; Secure', 'Path=/; SameSite=None; Secure'],
    [
      'Secure;SameSite=Lax;Max-Age=3600;Domain=a.example',
      'Path=/; Secure; SameSite=Lax; Max-Age=3600; Domain=a.example',
    ],
    ['Max-Age=0', 'Path=/; Max-Age=0'],
    ['', undefined],
    ['HttpOnly;', undefined],
    ['HttpOnly; httponly', undefined],
    ['Secure=1', undefined],
    ['SameSite', undefined],
    ['SameSite=default', undefined],
    ['Max-Age=-1', undefined],
    ['Max-Age=1.5', undefined],
    ['Path=app', undefined],
    ['Path=/a b', undefined],
    ['Path=/a\r\nX: y', undefined],
    ['Domain=.a.example', 'Path=/; Domain=a.example'],
    ['Domain=..a.example', undefined],
    ['Domain=a..example', undefined],
    ['Expires=now', undefined],
    ['constructor', undefined],
    ['__proto__=a', undefined],
  ] as const;
  for (const [given, sent] of cases)
    it(`${JSON.stringify(given)} ${sent === undefined ? 'are refused' : `are ${sent}`}`, () => {
      const parsed = cookieAttributes.parse(given, { separator: ',' });
      expect(parsed.ok ? parsed.value : undefined).to.equal(sent);
      const inDefinition = cookieAttributes.schema(z).safeParse(given);
      expect(inDefinition.success ? inDefinition.data : undefined, 'in a definition').to.equal(sent);
      if (sent !== undefined) expect(cookieAttributes.parse(sent, { separator: ',' })).to.deep.include({ value: sent });
    });
});
