import { expect } from 'chai';
import { dockerFlowResponse } from './docker-flow-response.ts';
import { translateParameters } from './translate-parameters.ts';

function respond(parameters: Record<string, string>) {
  const { definition } = translateParameters(
    { serviceName: 'go-demo', port: '8080', ...parameters },
    {
      owner: 'manual',
      separator: ',',
      source: { kind: 'rest', by: 'a test' },
      updatedAt: '2026-01-02T03:04:05.000Z',
      nowMs: 1,
    },
  );
  if (definition === undefined) throw new Error('the parameters were refused');
  return dockerFlowResponse(definition);
}

describe('dockerFlowResponse', () => {
  it('has Docker Flow’s names and types', () => {
    const { ServiceDest, ...service } = respond({
      servicePath: '/demo',
      serviceHeader: 'A:1',
      pathType: 'path_reg -i',
      timeoutServer: '60',
      userAgent: 'x',
      srcPort: '80',
      reqPathSearchReplace: 'a,b:c,d,g',
    });
    expect(service).to.include({ ServiceName: 'go-demo', AclName: 'go-demo', IsDefaultBackend: false });
    expect(ServiceDest[0]).to.deep.include({
      ServicePath: ['/demo'],
      ServiceDomain: [],
      Port: '8080',
      SrcPort: 80,
      ReqMode: 'http',
      PathType: 'path_reg -i',
      TimeoutServer: '60',
      ServiceHeader: { A: '1' },
      UserAgent: { Value: ['x'], AclName: '' },
      ReqPathSearchReplace: 'a,b:c,d,g',
      HttpsRedirectCode: '',
      Index: 0,
    });
  });

  it('shows the path of a service that has only a domain', () => {
    expect(respond({ serviceDomain: 'a.example' }).ServiceDest[0]?.ServicePath).to.deep.equal(['/']);
  });

  it('keeps the keys of what is secret, and empties their values', () => {
    const text = JSON.stringify(
      respond({ servicePath: '/', users: 'u:hush', setReqHeader: 'Authorization "Basic hush",X-A b' }),
    );
    expect(text).to.include('"Users":[{"Username":"u","Password":""').and.not.include('hush');
    expect(text).to.include('X-A b');
  });
});
