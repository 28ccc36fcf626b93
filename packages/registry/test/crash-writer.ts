// Child process of embedded-crash.test.ts: publishes as fast as it can and prints each sequence once it is on disk.
import { createRegistry } from '../src/create-registry.ts';
import { openEmbeddedStore } from '../src/store/embedded-store.ts';
import { definitionOf } from './sample-definition.ts';

const [dataDir = ''] = process.argv.slice(2);
const registry = createRegistry({ store: openEmbeddedStore({ dataDir }), instance: 'swarmgate' });
const options = { by: 'crash writer', signal: new AbortController().signal };
const before = await registry.read(options.signal);

for (let port = before.kind === 'snapshot' ? before.snapshot.sequence + 1 : 1; ; port += 1) {
  // Two services with the same port: a transaction that was torn apart would show two ports.
  const changes = ['one', 'two'].map((service) => ({
    owner: 'swarm',
    service,
    definition: { document: definitionOf('swarm', service, port) },
  }));
  const { sequence } = await registry.publish(changes, options);
  process.stdout.write(`${sequence}\n`);
}
