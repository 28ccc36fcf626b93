import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { openapiFile } from '../../src/control/admin/openapi-route.ts';
import { embeddedRegistry, type ProxyUnderTest, startProxyUnderTest } from '../running-proxy.ts';

interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, { readonly enum?: readonly string[]; readonly items?: Schema }>>;
}

describe('plug-ins in the status', () => {
  const { schemas } = parse(readFileSync(openapiFile, 'utf8'), { merge: true }).components as {
    readonly schemas: Readonly<Record<'Status' | 'Plugins', Schema>>;
  };
  let dataDir = '';
  let under: ProxyUnderTest | undefined;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-status-'));
  });
  afterEach(async () => {
    await under?.stop();
    under = undefined;
    await rm(dataDir, { recursive: true, force: true });
  });

  const statusOf = async (env: Record<string, string>) => {
    under = await startProxyUnderTest({ registry: await embeddedRegistry(dataDir), dataDir, env, replica: 'one' });
    return (await under.call('GET', '/v1/status')).body;
  };

  it('are null without a folder, and every field is described', async () => {
    const status = await statusOf({});
    expect(status.plugins).to.equal(null);
    const { required, properties } = schemas.Status;
    expect(Object.keys(status).sort()).to.deep.equal([...required].sort());
    expect(Object.keys(properties).sort()).to.deep.equal([...required].sort());
  });

  it('are the files of the folder, as docs/openapi.yaml describes them', async () => {
    const plugins = join(dataDir, 'plugins');
    await mkdir(plugins);
    await writeFile(join(plugins, 'mine.mjs'), 'export default () => () => undefined;');
    await writeFile(join(plugins, 'broken.mjs'), 'export default (');
    const { Plugins } = schemas;
    const shown = (await statusOf({ PLUGINS_DIR: plugins })).plugins as {
      readonly state: string;
      readonly files: readonly { readonly name: string; readonly fault?: string }[];
    };
    expect(Object.keys(shown).sort()).to.deep.equal([...Plugins.required].sort());
    expect(Plugins.properties.state?.enum).to.include(shown.state);
    expect(shown.files.map(({ name }) => name)).to.deep.equal(['broken', 'mine']);
    expect(shown.files[0]?.fault).to.match(/^it cannot be loaded: /);
    const described = Object.keys(Plugins.properties.files?.items?.properties ?? {});
    for (const file of shown.files) expect(described).to.include.members(Object.keys(file));
  });
});
