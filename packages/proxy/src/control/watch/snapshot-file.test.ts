import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definition, endpoints } from '../../../test/registered.ts';
import type { ServedService } from '../../model/served-service.ts';
import { readSnapshotFile, SnapshotFileError, snapshotPath, writeSnapshotFile } from './snapshot-file.ts';

function served(key: ServiceKey, origin: ServedService['origin'] = 'registry'): ServedService {
  return { key, definition: definition(key), endpoints: endpoints(key), origin, addressesFresh: true };
}

describe('the snapshot on disk', () => {
  let dataDir: string;
  let path: string;
  const head = { registryId: 'r1', revision: 'r1:7', sequence: 7 };
  const write = (services: readonly ServedService[]) =>
    writeSnapshotFile(path, 'swarmgate', { ...head, services }, 1_000);
  const refusal = async () => {
    try {
      await readSnapshotFile(path, 'swarmgate');
    } catch (error) {
      return error;
    }
    return undefined;
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-snapshot-'));
    path = snapshotPath(dataDir, 'swarmgate');
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('gives back what was written, at the time it was written', async () => {
    await write([served('swarm/a'), served('manual/b')]);
    const read = await readSnapshotFile(path, 'swarmgate');
    expect(read).to.deep.include({ ...head, savedAtMs: 1_000 });
    expect(read?.services.map(({ key }) => key)).to.deep.equal(['swarm/a', 'manual/b']);
    expect(read?.services[0]?.endpoints).to.deep.equal(endpoints('swarm/a'));
  });

  it('holds the maintenance of a service, also that of the service that a manual one replaces', async () => {
    const down = (owner: string, service: string) => ({
      version: 1 as const,
      owner,
      service,
      maintenance: { by: 'ann', since: '2026-01-02T03:00:00.000Z' },
    });
    await write([
      { ...served('swarm/a'), maintenance: down('swarm', 'a') },
      { ...served('manual/b'), maintenance: down('swarm', 'b') },
      { ...served('swarm/c'), maintenance: down('manual', 'c') },
    ]);
    const read = await readSnapshotFile(path, 'swarmgate');
    expect(read?.services.map(({ maintenance }) => maintenance?.owner)).to.deep.equal(['swarm', 'swarm', undefined]);
    expect(read?.leftOut.map(({ reason }) => reason)).to.deep.equal(['maintenance-invalid']);
  });

  it('holds more services than one step takes', async () => {
    await write(Array.from({ length: 450 }, (_, at) => served(`swarm/s${at}`)));
    expect((await readSnapshotFile(path, 'swarmgate'))?.services).to.have.length(450);
  });

  it('leaves out the services of the environment', async () => {
    await write([served('env/x', 'env'), served('swarm/a')]);
    expect((await readSnapshotFile(path, 'swarmgate'))?.services).to.have.length(1);
  });

  it('is one whole file that only its owner may read', async () => {
    await write([served('swarm/a')]);
    await write([served('swarm/b')]);
    expect(await readdir(dataDir)).to.have.length(1);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  const foreign: readonly (readonly [string, (served: ServedService) => unknown, number])[] = [
    ['a definition of another version', (each) => ({ ...each, definition: { ...each.definition, version: 2 } }), 1],
    [
      'a definition without destinations',
      (each) => ({ ...each, definition: { ...each.definition, destinations: [] } }),
      1,
    ],
    ['a definition that is none', (each) => ({ ...each, definition: 'x' }), 1],
    ['endpoints with a NUL', (each) => ({ ...each, endpoints: { ...each.endpoints, dnsName: 'a\0b' } }), 2],
    ['endpoints of another version', (each) => ({ ...each, endpoints: { ...each.endpoints, version: 2 } }), 2],
  ];
  for (const [what, change, services] of foreign) {
    it(`costs its own service where it holds ${what}`, async () => {
      await write([change(served('swarm/a')) as ServedService, served('swarm/b')]);
      const read = await readSnapshotFile(path, 'swarmgate');
      expect(read?.services).to.have.length(services);
      expect(read?.services.at(-1)).to.deep.include({ key: 'swarm/b', endpoints: endpoints('swarm/b') });
      expect(read?.leftOut[0]).to.have.property('severity', 'error');
    });
  }

  it('is missing without a complaint', async () => {
    expect(await readSnapshotFile(path, 'swarmgate')).to.equal(undefined);
  });

  it('of another instance is not ours', async () => {
    await write([served('swarm/a')]);
    expect(await readSnapshotFile(path, 'other')).to.equal(undefined);
  });

  const spoilt = [
    ['cut off', (text: string) => text.slice(0, -80)],
    ['without its last line', (text: string) => text.split('\n').slice(0, -2).join('\n')],
    ['with one letter changed', (text: string) => text.replace('/swarm/a', '/swarm/z')],
    ['of a later version', (text: string) => text.replace('"version":1', '"version":2')],
    ['empty', () => ''],
    ['not ours at all', () => 'hello\nworld\n'],
  ] as const;
  for (const [how, spoil] of spoilt) {
    it(`${how} is refused by name`, async () => {
      await write([served('swarm/a'), served('swarm/b')]);
      await writeFile(path, spoil(await readFile(path, 'utf8')));
      const error = await refusal();
      expect(error).to.be.instanceOf(SnapshotFileError);
      expect(error).to.have.property('message').that.includes(path);
    });
  }
});
