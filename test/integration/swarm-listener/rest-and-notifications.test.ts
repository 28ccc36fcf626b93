import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import {
  createOverlayNetwork,
  createService,
  type DockerEngine,
  ensureDocker,
  importNodeImage,
  removeService,
  uniqueName,
  updateService,
  waitForTasks,
} from '../../harness/docker.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';
import { removeDeployed } from './deployed.ts';
import { type Listening, startListening } from './listening.ts';

describe("the listener's REST and notifications on a real Swarm", () => {
  let engine: DockerEngine;
  let network: string;
  let networkName: string;
  let listening: Listening;
  let tool: Server;
  let base: string;
  const heard: URL[] = [];
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    networkName = uniqueName('tools');
    network = await createOverlayNetwork(engine.docker, networkName);
    tool = createServer((request, response) => {
      heard.push(new URL(`http://tool${request.url}`));
      response.end();
    });
    tool.listen(0, '127.0.0.1');
    await once(tool, 'listening');
    const toolUrl = `http://127.0.0.1:${(tool.address() as AddressInfo).port}`;
    const [port = 0] = await freePorts(1);
    base = `http://127.0.0.1:${port}/v1/docker-flow-swarm-listener`;
    listening = await startListening({
      DF_NOTIFY_LABEL: notifyLabel,
      LISTENER_PORT: String(port),
      DF_INCLUDE_NODE_IP_INFO: 'true',
      DF_NOTIFY_CREATE_SERVICE_URL: `${toolUrl}/create`,
      DF_NOTIFY_REMOVE_SERVICE_URL: `${toolUrl}/remove`,
      DF_NOTIFY_CREATE_NODE_URL: `${toolUrl}/node`,
    });
    await until('ready', () => listening.listener.ready());
  });

  after(async () => {
    await listening.stop();
    tool.close();
    tool.closeAllConnections();
    await removeDeployed(engine, network, services);
  });

  const hearing = (path: string, name: string) =>
    heard.filter((url) => url.pathname === path && url.searchParams.get('serviceName') === name);
  const get = async (path: string) => (await (await fetch(`${base}${path}`)).json()) as Record<string, string>[];

  it('notifies a tool of a service, of its change and of its end, and returns it by REST', async () => {
    const name = uniqueName('reported');
    const id = await createService(engine.docker, {
      name,
      image: await importNodeImage(engine.docker),
      networks: [network],
      labels: {
        [notifyLabel]: 'true',
        'com.df.servicePath': '/one',
        'com.df.port': '8080',
        'com.df.users': 'admin:s3cret',
        'com.df.scrapeNetwork': networkName,
      },
    });
    services.push(id);
    // It is scraped, so it is announced once a task runs, and says where.
    const [task] = await waitForTasks(engine.docker, id, 1);
    await until('created', () => hearing('/create', name).length === 1);
    const nodeInfo = JSON.parse(hearing('/create', name)[0]?.searchParams.get('nodeInfo') ?? '') as string[][];
    expect(nodeInfo[0]?.[1]).to.equal(task?.NetworksAttachments?.[0]?.Addresses[0]?.split('/')[0]);

    const [described] = (await get('/get-services')).filter(({ serviceName }) => serviceName === name);
    expect(described).to.include({
      distribute: 'true',
      port: '8080',
      replicas: '1',
      serviceName: name,
      servicePath: '/one',
      users: '(secret)',
    });

    await updateService(engine.docker, id, (spec) => ({
      ...spec,
      Labels: { ...spec.Labels, 'com.df.servicePath': '/two' },
    }));
    await until('changed', () => hearing('/create', name).length === 2);
    expect(hearing('/create', name)[1]?.searchParams.get('servicePath')).to.equal('/two');

    await fetch(`${base}/notify-services`);
    await until('reported again', () => hearing('/create', name).length === 3);

    await removeService(engine.docker, id);
    await until('removed', () => hearing('/remove', name).length === 1);
  });

  it('responds for the nodes, and tells of them', async () => {
    const nodes = await get('/get-nodes');
    expect(nodes).to.have.length(1);
    expect(nodes[0]).to.include({ role: 'manager', state: 'ready', availability: 'active' });
    expect(nodes[0]?.versionIndex).to.match(/^\d+$/);
    const reported = await until('the node', () => heard.find(({ pathname }) => pathname === '/node'));
    expect(reported.searchParams.get('id')).to.equal(nodes[0]?.id);
  });
});
