import { expect } from 'chai';
import { shownParameters } from './shown-parameters.ts';

describe('what get-services shows of parameters', () => {
  const hidden = [
    ['users', 'jane:secret'],
    ['serviceCert', '-----BEGIN'],
    ['serviceHeader', 'X-Auth=token'],
    ['serviceHeader.2', 'X-Auth=token'],
    ['addReqHeader', 'X-Api-Key abc'],
    ['setReqHeader.1', 'Authorization Basic abc'],
    // Docker Flow's deprecated names of the same labels.
    ['addHeader', 'X-Api-Key abc'],
    ['setHeader', 'X-Api-Key abc'],
    ['setResHeader', 'Set-Cookie id=abc'],
    ['rule', 'Header(`X-Auth`, `abc`)'],
    ['plugins.1', 'gate(secret=abc)'],
    ['headers', 'request.X-Auth=abc'],
    // Misspelt.
    ['user', 'jane:secret'],
    ['serviceHeaders.1', 'X-Auth:token'],
  ] as const;
  for (const [name, value] of hidden) {
    it(`hides the value of ${name}`, () => {
      expect(shownParameters({ [name]: value })).to.deep.equal({ [name]: '(secret)' });
    });
  }

  it('leaves all other values, unknown labels too', () => {
    const parameters = {
      servicePath: '/a',
      'port.1': '80',
      setResHeader: 'X-A b',
      rule: 'Host(`auth.example`)',
      scrapePort: '9100',
      serviceName: 'a',
    };
    expect(shownParameters(parameters)).to.deep.equal(parameters);
  });
});
