import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import { compileConditions, firstFailed, takesMethod } from './conditions.ts';

const conditionsOf = (fields: Partial<Destination>, port?: number) =>
  compileConditions({ index: 0, since: 0, port: 80, ...fields }, port, [], true);

function target(headers: Readonly<Record<string, string>> = {}, port = 80) {
  return { method: 'GET', host: 'a', path: '/', port, header: (name: string) => headers[name] };
}

describe('conditions of a route', () => {
  it('take allowed methods as they are written, and usual ones in any case of the label', () => {
    const allowed = conditionsOf({ allowedMethods: ['post', 'Custom'] });
    expect(
      ['POST', 'post', 'Post', 'Custom', 'CUSTOM', 'GET'].filter((each) => takesMethod(allowed, each)),
    ).to.deep.equal(['POST', 'Custom']);
  });

  it('deny methods in any case of the request, because services exist that take post for POST', () => {
    const denied = conditionsOf({ deniedMethods: ['POST', 'Custom'] });
    const requested = ['POST', 'post', 'Post', 'custom', 'CUSTOM', 'GET', 'get'];
    expect(requested.filter((each) => takesMethod(denied, each))).to.deep.equal(['GET', 'get']);
  });

  it('compare names of headers without case, values with it', () => {
    const byHeader = conditionsOf({ serviceHeader: { 'X-Version': 'Two' } });
    expect(firstFailed(byHeader, target({ 'x-version': 'Two' }))).to.equal(undefined);
    expect(firstFailed(byHeader, target({ 'x-version': 'two' }))).to.equal('header');
    expect(firstFailed(byHeader, target())).to.equal('header');
  });

  it('look for one of the user agents without case', () => {
    const byAgent = conditionsOf({ userAgent: ['Firefox', 'curl'] });
    for (const agent of ['Mozilla FIREFOX/9', 'curl/8', 'CURL']) {
      expect(firstFailed(byAgent, target({ 'user-agent': agent })), agent).to.equal(undefined);
    }
    expect(firstFailed(byAgent, target({ 'user-agent': 'wget' }))).to.equal('userAgent');
    expect(firstFailed(byAgent, target())).to.equal('userAgent');
  });

  it('hold on their entry port alone', () => {
    expect(firstFailed(conditionsOf({}, 8080), target({}, 8080))).to.equal(undefined);
    expect(firstFailed(conditionsOf({}, 8080), target({}, 80))).to.equal('port');
  });
});
