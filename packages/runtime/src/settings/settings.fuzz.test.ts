import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../errors.ts';
import { fuzzRuns } from '../testing/fuzz-runs.ts';
import { settingsCatalogue } from './catalogue.ts';
import { readSettings } from './read-settings.ts';
import type { Setting } from './setting.ts';

const settings: readonly Setting<unknown>[] = Object.values(settingsCatalogue);
const names = settings.flatMap(({ env }) => env);
const value = fc.oneof(
  fc.constantFrom(
    'true',
    '0',
    '-1',
    '1e3',
    '99999999999999999999',
    'NaN',
    'http://a:1/x?y',
    'https://u:p@a/',
    'http://[::1',
    'a=b,c=%zz',
    'a,b;c',
    '10.0.0.0/8',
    '80,443:ssl',
    'Label(`a`)',
    'service.name=x,host.name=%E2%82%AC',
    'parentbased_traceidratio',
    '0.5',
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.stringMatching(/^[a-zA-Z0-9 ,:;.*/%=@[\]-]{0,40}$/),
);

describe('settings, whatever their values', () => {
  it('are taken or refused with what is expected', () => {
    fc.assert(
      fc.property(fc.constantFrom(...settings), value, ({ parse }, text) => {
        const parsed = parse(text);
        if (!parsed.ok) expect(parsed.expected).to.be.a('string').that.is.not.equal('');
      }),
      fuzzRuns(10_000, 20_261_128),
    );
  });

  it('are an error that names each wrong one, and shows no secret', () => {
    const environment = fc.dictionary(
      fc.oneof(
        fc.constantFrom(...names),
        fc.constantFrom(...names).map((name) => `DEFAULT_${name}`),
        fc.constantFrom('TRAEFIK_WEB_TLS'),
      ),
      value,
      { maxKeys: 12 },
    );
    fc.assert(
      fc.property(environment, fc.constantFrom('proxy', 'listener', 'standalone', 'cli'), (env, role) => {
        try {
          readSettings(role, { env, secretsDir: '/nowhere' });
        } catch (error) {
          expect(error).to.be.instanceOf(UsageError);
          const { message } = error as UsageError;
          expect(Object.keys(env).some((name) => message.includes(name))).to.equal(true);
        }
      }),
      fuzzRuns(2_000, 20_261_128),
    );
  });
});
