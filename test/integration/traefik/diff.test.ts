import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from '@swarmgate/registry';
import { expect } from 'chai';
import { readStack } from '../../../packages/cli/src/commands/read-stack.ts';
import { runMain } from '../../../packages/cli/test/run-main.ts';
import { createRouteTable } from '../../../packages/proxy/src/routing/create-route-table.ts';
import {
  embeddedRegistry,
  eventually,
  type ProxyUnderTest,
  startProxyUnderTest,
} from '../../../packages/proxy/test/running-proxy.ts';
import { type LabelSet, labelSets } from '../../traefik/label-sets.ts';

const env = { TRAEFIK_EXPOSED_BY_DEFAULT: 'true' };
const silent = { env, out: () => undefined, error: () => undefined, exit: () => undefined };

/** A stack of that name with none of its services. */
const emptied = 'services:\n  nothing:\n    image: nothing\n';

describe('swarmgate diff of public stacks with labels of Traefik', () => {
  let folder: string;
  let registry: Registry;
  let under: ProxyUnderTest;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-diff-'));
    registry = await embeddedRegistry(join(folder, 'registry'));
    under = await startProxyUnderTest({ registry, dataDir: join(folder, 'data') });
  });
  after(async () => {
    await under.stop();
    await registry.store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function diff(file: string, stack: string) {
    const url = `http://127.0.0.1:${under.proxy.admin.port}`;
    const { out, error, code } = await runMain(['diff', file, '--stack', stack, '--url', url], env);
    expect(error).to.equal('');
    const [changes = ''] = out.split('settings equivalent to the flags of Traefik:');
    const lines = changes.trimEnd().split('\n');
    const ofKind = (kind: string) => lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(2));
    return { lines, code, added: ofKind('+'), changed: ofKind('~'), removed: ofKind('-'), taken: ofKind('!') };
  }

  /** As the listener publishes what `diff` reads. */
  async function published({ id, file, stack }: LabelSet) {
    const path = join(folder, `${id}.yml`);
    await writeFile(path, file);
    const { desired, traefik } = await readStack([path], { stack }, silent);
    const definitions = desired.flatMap(({ definition }) => definition ?? []);
    const publish = async (isThere: boolean) => {
      await registry.publish(
        definitions.map((definition) => ({
          owner: definition.owner,
          service: definition.service,
          definition: { document: isThere ? definition : null },
        })),
        { by: 'test', signal: AbortSignal.timeout(20_000) },
      );
      await eventually('the proxy follows', async () => {
        const { body } = await under.call('GET', '/v1/services');
        return (body.services as readonly unknown[] | undefined)?.length === (isThere ? definitions.length : 0);
      });
    };
    const table = createRouteTable({ order: 'strict', instanceName: 'swarmgate', filterInstanceName: false }).with(
      new Map(definitions.map((definition) => [`${definition.owner}/${definition.service}` as const, definition])),
    );
    const routes = definitions.flatMap(({ owner, service }) =>
      table.routesOf(`${owner}/${service}`).map(({ id }) => id),
    );
    const isRefused =
      desired.some(({ problems }) => problems.some(({ severity }) => severity === 'error')) ||
      traefik?.problems.some(({ severity }) => severity === 'error') === true;
    return { path, publish, routes: routes.sort(), code: isRefused ? 1 : 0 };
  }

  const idsOf = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0] ?? '').sort();

  for (const set of labelSets)
    it(`${set.id}: adds its routes once, and takes them away with its services`, async () => {
      const { path, publish, routes, code } = await published(set);
      const first = await diff(path, set.stack);
      expect(idsOf(first.added)).to.deep.equal(routes);
      expect({ ...first, lines: [], added: [], taken: [] }).to.deep.equal({
        lines: [],
        added: [],
        changed: [],
        removed: [],
        taken: [],
        code,
      });
      await publish(true);
      try {
        const again = await diff(path, set.stack);
        expect(again).to.include({ code });
        expect([...again.added, ...again.changed, ...again.removed]).to.deep.equal([]);
        // What is left: the order of two routers, and services whose labels cannot be read.
        expect(
          again.lines.filter((line) => !/^(no difference$|\? |! \S+ has invalid labels)/.test(line)),
        ).to.deep.equal([]);
        await writeFile(path, emptied);
        const last = await diff(path, set.stack);
        expect(idsOf(last.removed)).to.deep.equal(routes);
        expect([...last.added, ...last.changed]).to.deep.equal([]);
      } finally {
        await publish(false);
      }
    });

  it('are forty-three', () => expect(labelSets).to.have.length(43));
});
