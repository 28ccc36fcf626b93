import { expect } from 'chai';
import { refusedLabels, stackWith, takenLabels } from '../../test/label-cases.ts';
import { readCompose } from './read-compose.ts';

const read = (labels: string) => {
  const service = readCompose('stack.yml', stackWith(labels), { HOST: 'h' }).services.get('web');
  if (service === undefined) throw new Error('no service');
  return service;
};

describe('the labels of a stack file', () => {
  for (const [labels, values] of takenLabels) {
    it(`are taken from ${labels.trim()}`, () => {
      const service = read(labels);
      expect(service.problems).to.deep.equal([]);
      expect(Object.fromEntries(service.labels)).to.deep.equal(values);
    });
  }

  for (const [labels, message] of refusedLabels) {
    it(`are refused with ${JSON.stringify(labels.trim())}`, () => {
      const { problems } = read(labels);
      expect(problems.map(({ severity }) => severity)).to.deep.equal(['error']);
      expect(problems[0]?.message).to.include('docker stack deploy refuses the file').and.include(message);
    });
  }

  it('have a warning with the line where one stands twice in a list, and the last one wins', () => {
    const { labels, problems } = read('        - com.df.port=1\n        - b=1\n        - com.df.port=2');
    expect(labels.get('com.df.port')).to.equal('2');
    expect(problems).to.have.length(1);
    expect(problems[0]).to.deep.include({
      severity: 'warning',
      reason: 'label-duplicate',
      label: 'port',
      position: { file: 'stack.yml', line: 7 },
    });
  });

  it('are checked under the containers’ labels too, where Docker refuses the same', () => {
    const text = 'services:\n  web:\n    labels:\n      a: true\n';
    const service = readCompose('stack.yml', text, {}).services.get('web');
    expect(service?.problems[0]?.message).to.include('services.web.labels.a must be');
    expect(service?.problems[0]?.position.line).to.equal(4);
  });
});
