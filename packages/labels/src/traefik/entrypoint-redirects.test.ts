import { expect } from 'chai';
import { readEntrypointOptions } from './entrypoint-options.ts';
import { entrypointsName } from './entrypoint-redirects.ts';
import { translateTraefik } from './translate-traefik.ts';

const usual = new Map([
  ['web', ['plain']],
  ['http', ['plain']],
  ['websecure', ['ssl']],
  ['https', ['ssl']],
]);
const numbered = new Map([...usual, ['web', ['8000']], ['websecure', ['8443:ssl']]]);
const withOwn = new Map([...usual, ['internal', ['9000']]]);

describe('redirections of entrypoints without a router', () => {
  // [what they are, settings, entrypoints, ports and status of each route]
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, string>>,
    ReadonlyMap<string, readonly string[]>,
    readonly (readonly [string, number])[],
  ])[] = [
    ['none without a setting', { WEB_MIDDLEWARES: 'auth' }, usual, []],
    ['all of the entrypoint', { WEB_REDIRECT: 'websecure' }, usual, [['plain', 308]]],
    ['for a while', { WEB_REDIRECT: 'https,temporary' }, usual, [['plain', 307]]],
    ['those of a port of its own', { WEB_REDIRECT: 'websecure' }, numbered, [['8000', 308]]],
    ['none of another entrypoint’s port', { WEB_REDIRECT: 'websecure' }, withOwn, [['80', 308]]],
    [
      'of two entrypoints, each its own',
      { WEB_REDIRECT: 'websecure', INTERNAL_REDIRECT: 'websecure,temporary' },
      withOwn,
      [
        ['80', 308],
        ['9000', 307],
      ],
    ],
  ];
  for (const [what, settings, entrypoints, expected] of cases)
    it(`are ${what}`, () => {
      const read = readEntrypointOptions(settings, entrypoints);
      if (!read.ok) throw new Error(read.message);
      const options = {
        exposedByDefault: true,
        entrypoints,
        defaultRule: 'Host(`x`)',
        entrypointOptions: read.options,
      };
      const { destinations = [] } = translateTraefik([], options, 0).get(entrypointsName) ?? {};
      expect(
        destinations.map(({ entryPorts, httpsRedirectCode }) => [entryPorts?.join(), httpsRedirectCode]),
      ).to.deep.equal(expected);
      for (const { httpsOnly, priority, middlewares } of destinations) {
        // Every router comes first, and nothing is forwarded.
        expect([httpsOnly, priority]).to.deep.equal([true, -2_147_483_647]);
        expect(middlewares).to.deep.equal([
          { kind: 'ipAllowList', sourceRange: ['255.255.255.255/32'], rejectStatus: 404 },
        ]);
      }
    });
});
