import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { embeddedRegistry, eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { testCertificate } from '../../../test/test-certificate.ts';

const prefix = '/v1/docker-flow-proxy';

describe('the shapes of Docker Flow’s responses', () => {
  let under: ProxyUnderTest;
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-shapes-'));
    await mkdir(join(dataDir, 'certs'));
    await writeFile(join(dataDir, 'certs', 'shop.pem'), (await testCertificate(['shop.example'])).pem);
    under = await startProxyUnderTest({ dataDir, registry: await embeddedRegistry(dataDir) });
    await eventually('the proxy is ready', () => under.proxy.ready());
    await under.call(
      'GET',
      `${prefix}/reconfigure?serviceName=shop&servicePath=/shop&port=80&outboundHostname=10.0.0.7`,
    );
  });
  after(async () => {
    await under.stop();
    await under.registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('lists certificates without their content', async () => {
    const { text, body } = await under.call('GET', `${prefix}/certs`);
    expect(body).to.include({ Status: 'OK', Message: '' });
    const shown = { ServiceName: 'shop', CertsDir: '/certs', CertContent: '', hosts: ['shop.example'], from: 'file' };
    expect(body.Certs).to.have.length(1);
    expect((body.Certs as object[])[0]).to.deep.include(shown);
    expect(text).not.to.include('PRIVATE KEY');
  });

  it('responds to the tests of both versions as it does', async () => {
    for (const version of ['v1', 'v2'])
      expect((await under.call('GET', `/${version}/test`)).body).to.deep.equal({
        Status: 'OK',
        Message: `Test ${version}`,
      });
  });

  it('names services by name, with a global one for want of replicas', async () => {
    const { body } = await under.call('GET', `${prefix}/config?type=json`);
    expect(Object.keys(body)).to.deep.equal(['shop']);
    expect(body.shop).to.include({
      ServiceName: 'shop',
      AclName: 'shop',
      IsGlobal: true,
      Replicas: 0,
      ServiceCert: '',
    });
    expect(body.shop).to.have.nested.property('ServiceDest[0].Port', '80');
  });

  it('takes an empty certificate for none', async () => {
    const { status, body } = await under.call('PUT', `${prefix}/cert?certName=shop`);
    expect(status).to.equal(400);
    expect(body.Message).to.be.a('string').that.includes('body is empty');
  });
});
