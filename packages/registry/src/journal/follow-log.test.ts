import { Writable } from 'node:stream';
import { createLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { openRegistryUnderTest } from '../../test/embedded-registry.ts';
import { FollowedChanges } from '../../test/followed-changes.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import { createRegistry } from '../create-registry.ts';
import type { ServiceChange } from '../registry.ts';

const options = { by: 'tests', signal: new AbortController().signal };

function changeOf(service: string, port = 80): ServiceChange {
  return { owner: 'swarm', service, definition: { document: definitionOf('swarm', service, port) } };
}

describe('the log of following', () => {
  it('logs on level debug what it read, and why', async () => {
    const lines: { readonly msg: string; readonly cause?: string; readonly services?: unknown }[] = [];
    const destination = new Writable({
      write(chunk, _encoding, done) {
        lines.push(JSON.parse(String(chunk)));
        done();
      },
    });
    const logger = createLogger({ level: 'debug', destination });
    const under = await openRegistryUnderTest();
    const writer = under.registry;
    await writer.publish([changeOf('a')], options);
    const followed = new FollowedChanges(createRegistry({ store: under.store, instance: 'edge', logger }));
    await followed.nextOf('snapshot');
    await writer.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    await under.write({ kind: 'set', key: under.layout.documentKey('services', 'swarm/a'), value: '{}' });
    await followed.nextOf('snapshot');
    await followed.stop();
    await under.remove();
    expect(lines.map(({ msg }) => msg)).to.deep.equal([
      'registry read in full',
      'journal followed',
      'write past the journal',
      'registry read in full',
    ]);
    expect(lines[0]).to.include({ cause: 'start' });
    expect(lines[1]).to.deep.include({ services: ['swarm/a'] });
    expect(lines[3]).to.include({ cause: 'hand-edit', only: 'services' });
  });
});
