import { expect } from 'chai';
import { type HostListener, type HostProxy, startHostListener, startHostProxy } from '../../harness/host-processes.ts';
import { send, untilResponds } from '../../harness/http.ts';
import { startTlsConsul, type TlsConsul } from '../../harness/tls-consul.ts';
import { until } from '../../harness/until.ts';
import { type LabelledServices, startLabelledServices } from './labelled-services.ts';

/** Both programs as processes, set up by `CONSUL_*` alone, as a stack sets them up. */
describe('listener and proxy as processes over TLS', function () {
  this.timeout(120_000);
  let services: LabelledServices;
  let consul: TlsConsul | undefined;
  let listener: HostListener | undefined;
  let proxy: HostProxy | undefined;

  before(async () => {
    services = await startLabelledServices();
  });
  afterEach(async () => {
    await listener?.remove();
    await proxy?.remove();
    await consul?.remove();
    await services.clear();
  });
  after(async () => {
    await services?.remove();
  });

  for (const mutual of [false, true]) {
    it(`publish and serve${mutual ? ', both known by a certificate of their own' : ''}`, async () => {
      const secure = await startTlsConsul({ mutual });
      consul = secure;
      const anonymous = {
        CONSUL_HTTP_ADDR: secure.address,
        CONSUL_HTTP_SSL: 'true',
        CONSUL_CACERT: secure.caFile,
      };
      const client = { CONSUL_CLIENT_CERT: secure.clientCertFile, CONSUL_CLIENT_KEY: secure.clientKeyFile };
      const env = mutual ? { ...anonymous, ...client } : anonymous;
      const [leading, serving] = await Promise.all([
        startHostListener({ ...env, ...services.env }),
        startHostProxy(env),
      ]);
      listener = leading;
      proxy = serving;

      await untilResponds({ url: `${serving.adminUrl}/readyz` }, 200);
      await until('the listener leads', () => leading.isLeading());
      await untilResponds({ url: `${leading.url}/readyz` }, 200);
      const name = await services.deploy('secure', { servicePath: '/secure' });
      await untilResponds({ url: `${serving.httpUrl}/secure` }, 200);
      // Held waits go over TLS, too: a change comes at once, without a full read.
      await services.setLabels(name, { servicePath: '/changed' });
      await untilResponds({ url: `${serving.httpUrl}/changed` }, 200);
      expect((await send({ url: `${serving.httpUrl}/secure` })).status).to.equal(503);
      const { registry } = JSON.parse((await serving.admin('/v1/status')).body) as StatusOfRegistry;
      expect(registry).to.include({ kind: 'consul', reachable: true });
      // The write of a person goes the same way.
      const query = `serviceName=${name}-by-hand&servicePath=/hand&port=${services.backendPort}&outboundHostname=127.0.0.1`;
      const { status, body } = await serving.admin(`/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(status, body).to.equal(200);
      const keys = (await (await fetch(`${secure.plainUrl}/v1/kv/swarmgate/services/?keys`)).json()) as string[];
      expect(keys).to.have.members([`swarmgate/services/manual/${name}-by-hand`, `swarmgate/services/swarm/${name}`]);
    });
  }

  it('do nothing where Consul requires a certificate and they have none', async () => {
    const secure = await startTlsConsul({ mutual: true });
    consul = secure;
    const env = { CONSUL_HTTP_ADDR: secure.address, CONSUL_HTTP_SSL: 'true', CONSUL_CACERT: secure.caFile };
    const [leading, serving] = await Promise.all([startHostListener({ ...env, ...services.env }), startHostProxy(env)]);
    listener = leading;
    proxy = serving;
    // A refusal is what they go by, not that they have not come to it yet.
    await until('the proxy says that Consul is away', async () => (await serving.state()) === 'away');
    expect((await send({ url: `${serving.adminUrl}/readyz` })).status).to.equal(503);
    expect(await leading.isLeading()).to.equal(false);
    expect((await fetch(`${secure.plainUrl}/v1/kv/swarmgate/?keys`)).status).to.equal(404);
  });
});

interface StatusOfRegistry {
  readonly registry: { readonly kind: string; readonly reachable: boolean };
}
