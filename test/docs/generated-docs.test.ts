import { readFile } from 'node:fs/promises';
import { findLabel, labelNames, translateParameters } from '@swarmgate/labels';
import { expect } from 'chai';
import { generatedPages } from '../../scripts/docs/pages.ts';
import { traefikRows } from '../../scripts/docs/traefik-page.ts';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('generated docs', () => {
  for (const [path, page] of Object.entries(generatedPages)) {
    it(`${path} is what the catalogue yields (else: npm run docs)`, async () => {
      expect(await read(path)).to.equal(await page());
    });
  }

  it('name every label there is', async () => {
    const page = await read('docs/labels.md');
    for (const name of labelNames()) {
      const known = findLabel(name);
      const shown =
        known !== undefined && known.scope !== 'other' && known.deprecated ? `\`${name}\`` : `\`com.df.${name}\``;
      expect(page, name).to.include(shown);
    }
  });

  for (const { traefik, swarmgate } of traefikRows) {
    it(`from Traefik: the labels for ${traefik} are taken`, () => {
      const given = swarmgate.map((label) => {
        const [, name = '', value = ''] = /^com\.df\.([^=]+)=(.*)$/.exec(label) ?? [];
        return [name, value] as const;
      });
      const { definition, problems } = translateParameters(
        {
          serviceName: 'web',
          port: '80',
          // In tcp mode nothing names a host.
          ...(swarmgate.includes('com.df.reqMode=tcp') ? {} : { serviceDomain: 'shop.example' }),
          ...Object.fromEntries(given),
        },
        {
          owner: 'swarm',
          separator: ',',
          source: { kind: 'rest', by: 'a test' },
          updatedAt: '2026-01-02T03:04:05.000Z',
          nowMs: 1,
        },
      );
      expect(problems).to.deep.equal([]);
      expect(definition?.service).to.equal('web');
    });
  }
});
