import { expect } from 'chai';
import { environmentServices } from './environment-services.ts';

const context = { separator: ',', updatedAt: '2026-01-02T03:04:05.000Z', nowMs: 1000 };

describe('environmentServices', () => {
  it('reads services by number and destinations by index', () => {
    const services = environmentServices(
      {
        DFP_SERVICE_2_SERVICE_NAME: 'two',
        DFP_SERVICE_2_SERVICE_PATH_1: '/a',
        DFP_SERVICE_2_PORT_1: '80',
        DFP_SERVICE_2_SERVICE_PATH_2: '/b',
        DFP_SERVICE_2_PORT_2: '81',
        DFP_SERVICE_2_REQ_PATH_SEARCH_REPLACE_2: '^/b,/',
        DFP_SERVICE_SERVICE_NAME: 'one',
        DFP_SERVICE_SERVICE_DOMAIN: 'one.example',
        DFP_SERVICE_PORT: '8080',
        DFP_SERVICE_OUTBOUND_HOSTNAME: '',
        HOME: '/root',
      },
      context,
    );
    expect(services.map(({ prefix, service }) => [prefix, service])).to.deep.equal([
      ['DFP_SERVICE', 'one'],
      ['DFP_SERVICE_2', 'two'],
    ]);
    const [one, two] = services.map(({ translation }) => translation);
    expect(one?.problems).to.deep.equal([]);
    expect(one?.definition?.owner).to.equal('env');
    expect(one?.definition?.destinations).to.deep.equal([
      { index: 0, since: 1000, serviceDomain: ['one.example'], port: 8080 },
    ]);
    expect(
      two?.definition?.destinations.map(({ index, servicePath, port }) => [index, servicePath, port]),
    ).to.deep.equal([
      [1, ['/a'], 80],
      [2, ['/b'], 81],
    ]);
  });

  it('reports a variable that means nothing, and a service without its name', () => {
    const [service] = environmentServices({ DFP_SERVICE_3_PORTT: '80' }, context);
    expect(service?.service).to.equal('DFP_SERVICE_3');
    expect(service?.translation.problems.map(({ reason, suggestion }) => [reason, suggestion])).to.deep.include([
      'label-unknown',
      'did you mean port?',
    ]);
    expect(service?.translation.problems.map(({ reason }) => reason)).to.include('service-name-missing');
  });
});
