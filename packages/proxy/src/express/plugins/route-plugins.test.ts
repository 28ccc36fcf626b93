import type { PluginUse, ServiceKey } from '@swarmgate/registry/vocabulary';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import type { Request, RequestHandler, Response } from 'express';
import { until } from '../../../test/until.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import type { Route } from '../../model/route.ts';
import type { LoadedPlugin } from './load-plugins.ts';
import type { PluginContext } from './plugin.ts';
import type { PluginObserver } from './plugin-handler.ts';
import { RoutePlugins } from './route-plugins.ts';

const observer: PluginObserver = {
  took: () => undefined,
  misused: () => undefined,
  entered: () => 0,
  left: () => undefined,
  isSuspended: () => false,
};

describe('the plug-ins of routes', () => {
  let made: { readonly options: object; readonly context: PluginContext }[];
  let first: number;
  let plugins: RoutePlugins;
  const table = new Map<ServiceKey, readonly Route[]>();

  beforeEach(() => {
    made = [];
    first = 0;
    table.clear();
    const counted: LoadedPlugin = {
      name: 'counted',
      path: '/plugins/counted.mjs',
      make: (options, context) => {
        made.push({ options, context });
        return () => undefined;
      },
    };
    const loaded = new Map([
      ['counted', counted],
      ['broken', { name: 'broken', path: '/plugins/broken.mjs', fault: 'it cannot be loaded: no' }],
    ]);
    plugins = new RoutePlugins({
      loaded,
      logger: silentLogger,
      observer,
      onFirst: () => {
        first += 1;
      },
      lingerMs: 20,
    });
  });
  afterEach(() => plugins.stop());

  const routeOf = (key: ServiceKey, uses: readonly PluginUse[], index = 0) =>
    ({ key, destination: { index, ...(uses.length === 0 ? {} : { plugins: uses }) } }) as unknown as Route;
  const apply = (key: ServiceKey, ...uses: readonly PluginUse[]) => {
    table.set(key, uses.length === 0 ? [] : [routeOf(key, uses)]);
    plugins.apply({ routesOf: (of) => table.get(of) ?? [] }, [key]);
  };
  const aborted = (at: number) => made[at]?.context.signal.aborted;

  it('are made once for all routes with the same options, and again for others', () => {
    apply('a/one', { name: 'counted', options: { size: 1 } });
    apply('a/two', { name: 'counted', options: { size: 1 } });
    expect(made).to.have.length(1);
    apply('a/three', { name: 'counted', options: { size: 2 } });
    expect(made.map(({ options }) => options)).to.deep.equal([{ size: 1 }, { size: 2 }]);
    plugins.handlersOf(routeOf('a/one', [{ name: 'counted', options: { size: 1 } }]));
    expect(made).to.have.length(2);
  });

  it('get options that cannot be changed, and their name', () => {
    apply('a/one', { name: 'counted', options: { size: 1 } });
    expect(Object.isFrozen(made[0]?.options)).to.equal(true);
    expect(made[0]?.context.name).to.equal('counted');
  });

  it('are announced with the first, once', () => {
    expect(first).to.equal(0);
    apply('a/one');
    expect(first).to.equal(0);
    apply('a/one', { name: 'counted' });
    apply('a/two', { name: 'counted', options: { size: 2 } });
    expect(first).to.equal(1);
  });

  it('end some time after the last route that used them', async () => {
    apply('a/one', { name: 'counted' });
    apply('a/two', { name: 'counted' });
    apply('a/one');
    apply('a/two');
    expect(aborted(0)).to.equal(false);
    await until(() => aborted(0) === true, 'the end');
    apply('a/one', { name: 'counted' });
    expect(made).to.have.length(2);
  });

  it('stay the same where a route comes back or changes otherwise meanwhile', async () => {
    apply('a/one', { name: 'counted' });
    apply('a/one');
    apply('a/one', { name: 'counted' });
    apply('a/one', { name: 'counted' });
    apply('a/other', { name: 'counted', options: { size: 9 } });
    apply('a/other');
    // The other one's time was to end after that of the first.
    await until(() => aborted(1) === true, 'the end of the other');
    expect([made.length, aborted(0)]).to.deep.equal([2, false]);
  });

  it('are listed by service', () => {
    apply('a/one', { name: 'counted' });
    apply('a/two', { name: 'counted', options: { size: 1 } }, { name: 'broken' });
    expect(plugins.servicesOf('counted')).to.deep.equal(['a/one', 'a/two']);
    expect(plugins.servicesOf('broken')).to.deep.equal(['a/two']);
    apply('a/two');
    expect(plugins.servicesOf('broken')).to.deep.equal([]);
  });

  it('block a route as a whole where one of them cannot be used, and report it to its service until it changes', () => {
    const uses: readonly PluginUse[] = [{ name: 'counted' }, { name: 'broken' }];
    apply('a/one', ...uses);
    const [handler, ...others] = plugins.handlersOf(routeOf('a/one', uses)) as readonly RequestHandler[];
    expect(others).to.deep.equal([]);
    const responses: string[] = [];
    const request = {
      handled: { respond: ({ status, reason }: LocalResponse) => responses.push(`${status} ${reason}`) },
    };
    handler?.(request as unknown as Request, {} as Response, () => responses.push('passed on'));
    expect(responses).to.deep.equal(['503 unsupported-feature']);
    const reasons = () => (plugins.problems().get('a/one') ?? []).map(({ reason, label }) => `${reason} ${label}`);
    expect(reasons()).to.deep.equal(['plugin-unusable plugins']);
    apply('a/one', { name: 'nowhere' });
    expect(reasons()).to.deep.equal(['plugin-missing plugins']);
    apply('a/one', { name: 'counted' });
    expect(reasons()).to.deep.equal([]);
  });

  it('report what a plug-in says against its options without the credentials among them', () => {
    const make: LoadedPlugin['make'] = (options) => {
      throw new Error(`${JSON.stringify(options)} is of no use`);
    };
    const loaded = new Map([['gate', { name: 'gate', path: '/plugins/gate.mjs', make }]]);
    const strict = new RoutePlugins({ loaded, logger: silentLogger, observer, onFirst: () => undefined });
    const uses = [{ name: 'gate', options: { apiKey: 'opensesame', origin: 'https://shop.example' } }];
    table.set('a/one', [routeOf('a/one', uses)]);
    strict.apply({ routesOf: (of) => table.get(of) ?? [] }, ['a/one']);
    const [problem] = strict.problems().get('a/one') ?? [];
    expect(problem?.message).to.include('{"apiKey":"(secret)","origin":"https://shop.example"} is of no use');
    strict.stop();
  });

  it('are given up where their making does not end, for all options, and no other route waits for them', () => {
    let calls = 0;
    const make: LoadedPlugin['make'] = () => {
      calls += 1;
      for (;;) Math.sqrt(calls);
    };
    const loaded = new Map([['endless', { name: 'endless', path: '/plugins/endless.mjs', make }]]);
    const bounded = new RoutePlugins({ loaded, logger: silentLogger, observer, mostMakingMs: 50 });
    const routes = [
      routeOf('a/one', [
        { name: 'endless', options: { size: 1 } },
        { name: 'endless', options: { size: 2 } },
      ]),
    ];
    bounded.apply({ routesOf: () => routes }, ['a/one']);
    expect(calls).to.equal(1);
    expect(
      bounded
        .problems()
        .get('a/one')
        ?.map(({ reason }) => reason),
    ).to.deep.equal(['plugin-unusable']);
    expect(bounded.handlersOf(routes[0] as Route)).to.have.length(1);
    bounded.stop();
  });

  it('end when the process does', () => {
    apply('a/one', { name: 'counted' });
    plugins.stop();
    expect(aborted(0)).to.equal(true);
  });
});
