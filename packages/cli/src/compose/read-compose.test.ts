import { expect } from 'chai';
import { mergeCompose, readCompose } from './read-compose.ts';

const stack = `
name: shop
x-common: &common
  com.df.notify: "true"
services:
  web:
    image: web
    labels:
      com.df.port: 80
    deploy:
      replicas: 2
      labels:
        <<: *common
        com.df.servicePath: /
        com.df.port: \${PORT:-8080}
  worker:
    image: worker
    deploy:
      mode: global
      labels:
        - com.df.notify=true
        - com.df.servicePath=/work=1
`;

describe('reading a stack file', () => {
  it('finds labels as a map with merge keys and as a list, with their lines', () => {
    const { name, services } = readCompose('stack.yml', stack, {});
    expect(name).to.equal('shop');
    expect(Object.fromEntries(services.get('web')?.labels ?? [])).to.deep.equal({
      'com.df.notify': 'true',
      'com.df.servicePath': '/',
      'com.df.port': '8080',
    });
    expect(services.get('web')?.labelPositions.get('com.df.servicePath')).to.deep.equal({
      file: 'stack.yml',
      line: 14,
    });
    expect(services.get('worker')?.labels.get('com.df.servicePath')).to.equal('/work=1');
    expect(services.get('worker')?.isGlobal).to.equal(true);
  });

  it('reports our labels on the containers, where Swarm does not show them', () => {
    expect(readCompose('stack.yml', stack, {}).services.get('web')?.misplacedLabels).to.deep.equal(['com.df.port']);
  });

  it('lets later files win label by label', () => {
    const later = readCompose(
      'more.yml',
      'services:\n  web:\n    deploy:\n      labels:\n        com.df.port: 9000\n',
      {},
    );
    const web = mergeCompose([readCompose('stack.yml', stack, {}), later]).services.get('web');
    expect(web?.labels.get('com.df.port')).to.equal('9000');
    expect(web?.labels.get('com.df.servicePath')).to.equal('/');
    expect(web?.labelPositions.get('com.df.port')).to.deep.equal({ file: 'more.yml', line: 5 });
  });

  it('names the file and the line of a syntax error', () => {
    expect(() => readCompose('bad.yml', 'services:\n  web: [\n', {})).to.throw(/^bad\.yml:\d+: /);
    expect(() => readCompose('bad.yml', 'hello', {})).to.throw('bad.yml: no "services"');
  });

  it('resolves aliases and merge keys on the way to the labels, later and own values winning', () => {
    const text = `
x-labels: &labels { com.df.port: "80", com.df.servicePath: /a }
x-deploy: &deploy { replicas: 3, labels: *labels }
x-service: &service { image: web, deploy: *deploy }
services:
  aliased: { image: web, deploy: *deploy }
  merged: { <<: *service }
  own:
    deploy:
      labels: { <<: [{ com.df.port: "1" }, *labels], com.df.servicePath: /own }
`;
    const { services } = readCompose('stack.yml', text, {});
    for (const name of ['aliased', 'merged']) {
      expect(Object.fromEntries(services.get(name)?.labels ?? []), name).to.deep.equal({
        'com.df.port': '80',
        'com.df.servicePath': '/a',
      });
      expect(services.get(name)?.replicas).to.equal(3);
    }
    // The first of several merged maps wins (https://yaml.org/type/merge.html).
    expect(Object.fromEntries(services.get('own')?.labels ?? [])).to.deep.equal({
      'com.df.port': '1',
      'com.df.servicePath': '/own',
    });
  });

  it('interpolates the mode and the number of replicas', () => {
    const text = 'services:\n  web:\n    deploy: { mode: "${MODE:-global}", replicas: "${REPLICAS:-0}" }\n';
    expect(readCompose('stack.yml', text, {}).services.get('web')).to.deep.include({ isGlobal: true, replicas: 0 });
  });
});
