import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { translateParameters } from '@swarmgate/labels';
import { type RunningProxy, startProxy } from '@swarmgate/proxy';
import { createRegistry, openEmbeddedStore, type Registry } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { runMain } from '../../test/run-main.ts';
import { readStack } from './read-stack.ts';

const stack = `services:
  web:
    image: web
    deploy:
      labels:
        com.df.notify: "true"
        com.df.servicePath: /api/v2
        com.df.port: "8080"
  bad:
    image: bad
    deploy:
      labels:
        com.df.notify: "true"
        com.df.servicePth: /bad
        com.df.port: "eighty"
  silent:
    image: silent
    deploy:
      labels:
        com.df.servicePath: /silent
  misspelt:
    image: misspelt
    deploy:
      labels:
        com.df.notify: "yes"
        com.df.servicePath: /misspelt
  asleep:
    image: asleep
    deploy:
      replicas: 0
      labels:
        com.df.notify: "true"
        com.df.servicePath: /asleep
`;

describe('checking a stack file', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-'));
    file = join(folder, 'stack.yml');
    writeFileSync(file, stack);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => runMain(args);

  it('prints each problem with file, line, service, label and remedy, and ends with 1 on an error', async () => {
    const { out, code } = await run('check', file, '--stack', 'shop');
    expect(code).to.equal(1);
    expect(out).to.include(`${file}:2: shop_web: 1 destination`);
    expect(out).to.match(new RegExp(`${file}:14: warning servicePth: .*servicePath`));
    expect(out).to.match(new RegExp(`${file}:15: error port=eighty: `));
    expect(out).to.match(new RegExp(`${file}:16: warning: silent has 1 com.df labels, but not com.df.notify=true`));
    expect(out).to.match(
      new RegExp(`${file}:25: warning: com.df.notify of misspelt is "yes", which does not count as true`),
    );
  });

  it('repeats the message of the file’s parser and its place, once', async () => {
    const several = join(folder, 'several.yml');
    writeFileSync(several, 'services: {}\n---\nservices: {}\n');
    const { error, code } = await run('check', several);
    expect({ error, code }).to.deep.equal({
      error: `swarmgate: ${several}:2: a second document begins here (---): a stack file is one document\n`,
      code: 2,
    });
    const twice = join(folder, 'twice.yml');
    writeFileSync(twice, 'services:\n  a: {}\n  a: {}\n');
    expect((await run('check', twice)).error).to.equal(`swarmgate: ${twice}:3: Map keys must be unique\n`);
  });

  it('prints JSON and GitHub’s workflow commands', async () => {
    const json = JSON.parse((await run('check', file, '--format', 'json')).out) as {
      services: { composeName: string }[];
    };
    expect(json.services.map(({ composeName }) => composeName)).to.deep.equal(['web', 'bad', 'silent', 'misspelt']);
    expect((await run('check', file, '--format', 'github')).out).to.match(
      new RegExp(`::error file=${file},line=15,title=`),
    );
    expect((await run('check', file, '--format', 'xml')).code).to.equal(2);
    expect((await run('check', join(folder, 'absent.yml'))).code).to.equal(2);
  });

  it('reads labels of Traefik, names what is wrong with their places, and the settings that its flags mean', async () => {
    const traefik = join(folder, 'traefik.yml');
    writeFileSync(
      traefik,
      `services:
  web:
    image: web
    deploy:
      labels:
        - traefik.enable=true
        - traefik.http.routers.web.rule=Host(\`a.example\`) && PathPrefix(\`/x\`
        - traefik.http.services.web.loadbalancer.server.port=80
  api:
    image: api
    labels:
      - traefik.enable=true
    deploy:
      labels:
        - traefik.enable=true
        - traefik.http.routers.api.rule=Host(\`b.example\`)
        - traefik.http.routers.api.entrypoints=internal
        - traefik.http.services.api.loadbalancer.server.port=80
  off:
    image: off
    deploy:
      labels:
        - traefik.http.routers.off.rule=Host(\`c.example\`)
`,
    );
    const { out, code } = await run('check', traefik, '--stack', 'shop');
    expect(code).to.equal(1);
    expect(out).to.match(new RegExp(`${traefik}:7: error .*cannot be read at character 32`));
    expect(out).to.include(
      `${traefik}:17: error traefik.http.routers.api.entrypoints=internal: there is no entrypoint internal: the router api is not served there`,
    );
    expect(out).to.include(
      'known are web (every port without TLS), http (every port without TLS), websecure (every port with TLS), https (every port with TLS); TRAEFIK_ENTRYPOINTS=internal=8000 on the listener names another one with its port (8000:ssl with TLS), and BIND_PORTS=8000 on the proxy opens it',
    );
    expect(out).to.match(new RegExp(`${traefik}:9: warning.*move them to deploy.labels`));
    expect(out).to.match(new RegExp(`${traefik}:23: warning.*not traefik.enable=true`));

    const args = join(folder, 'traefik.args');
    writeFileSync(args, '--entrypoints.internal.address=:9000\n--providers.file.directory=/rules\n');
    const flagged = await run('check', traefik, '--stack', 'shop', '--traefik-args', args);
    expect(flagged.out)
      .to.include('listener: TRAEFIK_ENTRYPOINTS=internal=9000')
      .and.not.include('no entrypoint internal');
    expect(flagged.out).to.include('--providers.file.directory=/rules');
    expect(flagged.code).to.equal(1);
  });

  it('reads the flags of a Traefik that stands in the stack files, and refuses those that nothing here says', async () => {
    const file = join(folder, 'with-traefik.yml');
    const stack = (flags: readonly string[]) => `services:
  proxy:
    image: traefik:v3.5
    command: ${JSON.stringify(flags)}
    networks: [public]
  web:
    image: web
    networks: [public, db]
    deploy:
      labels:
        traefik.docker.network: shop_public
        traefik.http.routers.web.rule: Host(\`a.example\`)
        traefik.http.services.web.loadbalancer.server.port: 80
networks:
  public: { external: true }
  db:
`;
    writeFileSync(file, stack(['--providers.swarm', '--entrypoints.web.http.middlewares=auth@file']));
    const { out, code } = await run('check', file, '--stack', 'shop');
    expect(out).to.include('listener: TRAEFIK_EXPOSED_BY_DEFAULT=true');
    expect(out).to.match(/error .*responds with 503, because its middleware auth@file/);
    expect(out).to.match(/warning .*shop_public, which shop_web has not joined.*public, shop_db/);
    expect(code).to.equal(1);
    writeFileSync(file, stack(['--providers.swarm.exposedByDefault', '--providers.consulcatalog']));
    expect((await run('check', file, '--stack', 'shop')).code).to.equal(1);
    writeFileSync(file, stack(['--providers.swarm.exposedByDefault']));
    expect((await run('check', file, '--stack', 'shop')).code).to.equal(0);
    writeFileSync(file, `${stack(['--api'])}`.replace('  web:\n', '  edge: { image: "x/traefik" }\n  web:\n'));
    const several = await run('check', file, '--stack', 'shop');
    expect(several.code).to.equal(2);
    expect(several.error).to.include('several services of Traefik: proxy, edge');
  });

  it('reads TRAEFIK_FILE, and refuses one that cannot be read', async () => {
    const file = join(folder, 'at-file.yml');
    const dynamic = join(folder, 'dynamic.yml');
    writeFileSync(
      file,
      'services:\n  web:\n    image: web\n    deploy:\n      labels:\n        traefik.enable: "true"\n        traefik.http.routers.web.rule: Host(`a`)\n        traefik.http.routers.web.middlewares: auth@file\n        traefik.http.services.web.loadbalancer.server.port: 80\n',
    );
    writeFileSync(dynamic, 'http:\n  middlewares:\n    auth:\n      ipAllowList: { sourceRange: [10.0.0.0/8] }\n');
    expect((await run('check', file)).code).to.equal(1);
    expect((await runMain(['check', file], { TRAEFIK_FILE: dynamic })).code).to.equal(0);
    writeFileSync(dynamic, 'udp:\n  routers: {}\n');
    const partly = await runMain(['check', file], { TRAEFIK_FILE: dynamic });
    expect(partly.out).to.match(/dynamic\.yml:2: udp\.routers has no effect/);
    expect(partly.code).to.equal(1);
    writeFileSync(dynamic, 'http: [');
    const wrong = await runMain(['check', file], { TRAEFIK_FILE: dynamic });
    expect([wrong.code, /TRAEFIK_FILE: .*dynamic\.yml:1/.test(wrong.error)]).to.deep.equal([2, true]);
  });

  describe('beside a running proxy', () => {
    let proxy: RunningProxy;
    let registry: Registry;
    const stopping = new AbortController();
    before(async () => {
      const settings = { ...readSettings('standalone', { env: {} }), dataDir: join(folder, 'data'), defaultPorts: [] };
      registry = createRegistry({
        store: openEmbeddedStore({ dataDir: settings.dataDir }),
        instance: 'swarmgate',
      });
      for (const [owner, service, servicePath] of [
        ['swarm', 'old_api', '/api'],
        ['swarm', 'shop_gone', '/gone'],
      ] as const) {
        const { definition } = translateParameters(
          { serviceName: service, servicePath, port: '80' },
          { owner, separator: ',', source: { kind: 'rest', by: 'test' }, updatedAt: '2026-01-01T00:00:00Z', nowMs: 1 },
        );
        await registry.publish([{ owner, service, definition: { document: definition ?? null } }], {
          signal: stopping.signal,
          by: 'test',
        });
      }
      proxy = await startProxy({
        settings,
        registry,
        logger: silentLogger,
        env: {},
        signal: stopping.signal,
        adminPort: 0,
      });
    });
    after(async () => {
      await proxy.stop();
      stopping.abort();
      await registry.store.close();
    });

    it('finds no difference where the same is registered, and shows no secret', async () => {
      const same = join(folder, 'same.yml');
      const users = 'jane:$apr1$lZL6V/ci$MkgHeUZg.IVGcx3pyPc4.1';
      writeFileSync(
        same,
        `services:
  web:
    image: web
    deploy:
      labels:
        traefik.enable: "true"
        traefik.http.routers.web.rule: Host(\`same.example\`)
        traefik.http.routers.web.middlewares: auth
        traefik.http.middlewares.auth.basicauth.users: ${users.replaceAll('$', '$$$$')}
        traefik.http.services.web.loadbalancer.server.port: 80
`,
      );
      const io = { env: {}, out: () => undefined, error: () => undefined, exit: () => undefined };
      const { desired } = await readStack([same], { stack: 'same' }, io);
      const definition = desired[0]?.definition ?? null;
      const at = ['--stack', 'same', '--url', `http://127.0.0.1:${proxy.admin.port}`];
      const before = await run('diff', same, ...at);
      expect(before.out)
        .to.match(/^\+ swarm\/same_web\/0 .*same\.example/m)
        .and.not.include('apr1');
      const publish = (document: typeof definition) =>
        registry.publish([{ owner: 'swarm', service: 'same_web', definition: { document } }], {
          signal: stopping.signal,
          by: 'test',
        });
      await publish(definition);
      await until('it is followed', async () => (await run('diff', same, ...at)).out === 'no difference\n');
      await publish(null);
    });

    it('names the requests that the stack would take', async () => {
      const { out } = await run('check', file, '--stack', 'shop', '--url', `http://127.0.0.1:${proxy.admin.port}`);
      expect(out).to.include('swarm/shop_web would take any.invalid/api/v2 from swarm/old_api');
    });

    it('prints what deploying would add and remove, and leaves other stacks alone', async () => {
      const { out, code } = await run('diff', file, '--stack', 'shop', '--url', `http://127.0.0.1:${proxy.admin.port}`);
      expect(code).to.equal(1);
      expect(out).to.match(/^\+ swarm\/shop_web\/0 .*servicePath=\["\/api\/v2"\]/m);
      expect(out).to.match(/^- swarm\/shop_gone\/0 /m);
      expect(out).not.to.match(/^- swarm\/old_api/m);
      expect(out).to.include('! shop_bad has invalid labels').and.not.include('shop_silent');
    });
  });
});
