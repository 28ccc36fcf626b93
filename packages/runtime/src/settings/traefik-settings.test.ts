import { expect } from 'chai';
import { traefikSettings } from './traefik-settings.ts';

describe('settings of Traefik', () => {
  it('name the families of labels', () => {
    const { parse } = traefikSettings.labelFamilies;
    expect(parse('traefik, df')).to.deep.equal({ ok: true, value: ['df', 'traefik'] });
    for (const wrong of ['', 'nginx', 'df,nginx']) expect(parse(wrong).ok, wrong).to.equal(false);
  });

  it('map entrypoints to ports, over the usual ones', () => {
    const read = traefikSettings.traefikEntrypoints.parse('Web=80, admin=8000:ssl,admin=ssl,db=5432');
    expect(read.ok && Object.fromEntries(read.value)).to.deep.equal({
      web: ['80'],
      http: ['80'],
      websecure: ['ssl'],
      https: ['ssl'],
      admin: ['8000:ssl', 'ssl'],
      db: ['5432'],
    });
    for (const wrong of ['web', 'web=', 'web=0', 'web=65536', 'web=80:tls', '=80'])
      expect(traefikSettings.traefikEntrypoints.parse(wrong).ok, wrong).to.equal(false);
  });
});
