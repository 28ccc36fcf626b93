import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { runMain } from '../../test/run-main.ts';

const served = [
  'traefik.enable=true',
  'traefik.http.routers.web.rule=Host(`a.example`)',
  'traefik.http.services.web.loadbalancer.server.port=80',
];

interface Given {
  /** `deploy.labels`. */
  readonly ofService?: readonly string[];
  /** `labels`. */
  readonly ofContainers?: readonly string[];
}

function stackOf(given: Given): string {
  const { ofService = [], ofContainers = [] } = given;
  return JSON.stringify({ services: { web: { image: 'web', labels: ofContainers, deploy: { labels: ofService } } } });
}

describe('swarmgate convert', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-convert-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const convert = (given: Given, more: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
    writeFileSync(join(folder, 'stack.yml'), stackOf(given));
    return runMain(['convert', join(folder, 'stack.yml'), '--stack', 'shop', ...more], env);
  };

  it('prints the stack alone, and ends with 0, where it requests the same', async () => {
    const { out, error, code } = await convert({ ofService: served });
    expect(out).to.include('com.df.rule').and.not.include('traefik');
    expect({ error, code }).to.deep.equal({ error: '', code: 0 });
  });

  const left: readonly (readonly [string, Given, readonly string[]])[] = [
    [
      'labels of containers',
      { ofContainers: served },
      ['web: not converted', 'containers', 'Traefik ignores in Swarm mode', ...served.map(nameOf), 'deploy.labels'],
    ],
    [
      'one label of containers beside those of the service',
      { ofService: served, ofContainers: ['traefik.http.routers.web.priority=7'] },
      ['web: not converted', 'traefik.http.routers.web.priority'],
    ],
    [
      'labels of containers of our own',
      { ofService: served, ofContainers: ['com.df.port=80'] },
      ['web: not converted', 'com.df.port', 'deploy.labels'],
    ],
    ['a service that is not enabled', { ofService: served.slice(1) }, ['web: ', 'traefik.enable=true']],
    [
      'a router without an entrypoint for its TLS',
      {
        ofService: [...served, 'traefik.http.routers.web.tls=true', 'traefik.http.routers.web.entrypoints=web'],
      },
      ['web: ', 'TLS'],
    ],
    [
      'UDP',
      { ofService: [...served, 'traefik.udp.routers.dns.entrypoints=dns'] },
      ['web: ', 'traefik.udp.routers.dns.entrypoints'],
    ],
  ];
  for (const [what, given, named] of left)
    it(`names ${what} and why on standard error, and ends with 1`, async () => {
      const { out, error, code } = await convert(given);
      for (const each of named) expect(error).to.include(each);
      expect(code).to.equal(1);
      expect(parse(out)).to.have.nested.property('services.web.image', 'web');
    });

  it('leaves labels of containers where they are', async () => {
    const { out } = await convert({ ofContainers: served });
    expect(parse(out)).to.have.deep.nested.property('services.web.labels', served);
  });

  it('warns of what has no effect in Traefik either, and ends with 0', async () => {
    const unused = 'traefik.http.middlewares.never.compress=true';
    const { error, code } = await convert({ ofService: [...served, 'traefik.entrypoints=web', unused] });
    expect(error).to.include('web: warning: ').and.include('traefik.entrypoints').and.include('never');
    expect(code).to.equal(0);
  });

  it('gives both to programs as JSON', async () => {
    const given = { ofService: [...served, 'traefik.entrypoints=web'], ofContainers: ['traefik.enable=true'] };
    const { out } = await convert(given, ['--json']);
    const read = JSON.parse(out) as { unsaid: readonly object[]; warnings: readonly object[] };
    expect(read.unsaid.map((each) => ({ ...each, what: '' }))).to.deep.equal([{ service: 'web', what: '' }]);
    expect(read.warnings.map((each) => ({ ...each, what: '' }))).to.deep.equal([{ service: 'web', what: '' }]);
  });
});

function nameOf(label: string): string {
  return label.slice(0, label.indexOf('='));
}
