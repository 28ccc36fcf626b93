import { expect } from 'chai';
import { fromDocument } from './given-definition.ts';

const by = { by: 'REST from 10.0.0.7', nowMs: 0 };
const destination = { servicePath: ['/shop'], port: 80, outboundHostname: '10.0.0.7' };

describe('a definition as JSON', () => {
  it('without unknown fields has no problem', () => {
    const { definition, problems } = fromDocument({ service: 'shop', destinations: [destination] }, by);
    expect(definition?.service).to.equal('shop');
    expect(problems).to.deep.equal([]);
  });

  it('is taken with a warning for each unknown field', () => {
    const given = { service: 'shop', colour: 'red', destinations: [{ ...destination, servicePaht: ['/x'] }] };
    const { definition, problems } = fromDocument(given, by);
    expect(definition?.service).to.equal('shop');
    expect(problems.map(({ severity, reason, label }) => ({ severity, reason, label }))).to.deep.equal([
      { severity: 'warning', reason: 'field-unknown', label: 'colour' },
      { severity: 'warning', reason: 'field-unknown', label: 'destinations.0.servicePaht' },
    ]);
  });
});
