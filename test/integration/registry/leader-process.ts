// Child process of leadership.test.ts: contends, and while it leads publishes without end, fenced. Prints what happens.
import { contendForLeadership, createConsulStore, createRegistry, keyLayout } from '@swarmgate/registry';
import { createLogger } from '@swarmgate/runtime';
import { definitionOf } from '../../../packages/registry/test/sample-definition.ts';

const [address = ''] = process.argv.slice(2);
const store = createConsulStore({ address });
const registry = createRegistry({ store, instance: 'edge' });
const layout = keyLayout('edge');
const leadership = contendForLeadership({
  store,
  key: layout.leader('swarm'),
  heartbeatKey: layout.leaderHeartbeat('swarm'),
  name: 'child',
  logger: createLogger({ destination: process.stderr }),
});
const signal = new AbortController().signal;

leadership.onChange((state) => process.stdout.write(`${state.kind}\n`));
let published = false;
for (let port = 1; ; port += 1) {
  const state = leadership.state();
  if (state.kind === 'leading') {
    const document = definitionOf('swarm', 'child', port);
    try {
      const change = { owner: 'swarm', service: 'child', definition: { document } };
      await registry.publish([change], { by: 'child', fence: state.fence, signal });
      if (!published) process.stdout.write('published\n');
      published = true;
    } catch (error) {
      process.stdout.write(`refused ${error instanceof Error && 'code' in error ? String(error.code) : ''}\n`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
}
