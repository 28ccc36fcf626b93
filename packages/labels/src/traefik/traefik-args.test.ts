import { expect } from 'chai';
import { readTraefikArgs, traefikLines } from './traefik-args.ts';

const settings = (text: string | readonly string[]) =>
  readTraefikArgs(text).settings.map(({ of, setting }) => `${of} ${setting}`);

describe('flags of Traefik', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['--entrypoints.web.address=:80 --entrypoints.websecure.address=:443', []],
    [
      '--entryPoints.web.address=:8000\n--entrypoints.internal.address=:9000/tcp',
      ['listener TRAEFIK_ENTRYPOINTS=web=8000,internal=9000'],
    ],
    [
      '--entrypoints.secure.address=:8443\n--entrypoints.secure.http.tls.certresolver=le',
      ['listener TRAEFIK_SECURE_TLS=le', 'listener TRAEFIK_ENTRYPOINTS=secure=8443:ssl'],
    ],
    [
      '--entrypoints.web.address=:80 --entrypoints.internal.address=:9000',
      ['listener TRAEFIK_ENTRYPOINTS=web=80,internal=9000'],
    ],
    ['--entrypoints.web.http.redirections.entryPoint.to=websecure', ['listener TRAEFIK_WEB_REDIRECT=websecure']],
    [
      '--entrypoints.web.http.redirections.entrypoint.to=:443 --entrypoints.web.http.redirections.entrypoint.scheme=https --entrypoints.web.http.redirections.entrypoint.permanent=false --entrypoints.websecure.address=:443',
      ['listener TRAEFIK_WEB_REDIRECT=websecure,temporary'],
    ],
    [
      '--entrypoints.web.address=:80 --entrypoints.secure.address=:8443 --entrypoints.web.http.redirections.entrypoint.to=secure',
      ['listener TRAEFIK_WEB_REDIRECT=secure', 'listener TRAEFIK_ENTRYPOINTS=web=80,secure=8443:ssl'],
    ],
    [
      '--entrypoints.web.http.redirections.entrypoint.scheme=https --entrypoints.web.http.redirections.entrypoint.to=websecure',
      ['listener TRAEFIK_WEB_REDIRECT=websecure'],
    ],
    [
      '--entrypoints.my-web.address=:8080 --entrypoints.my-web.http.middlewares=auth@file,rate',
      ['listener TRAEFIK_MY_WEB_MIDDLEWARES=auth@file,rate', 'listener TRAEFIK_ENTRYPOINTS=my-web=8080'],
    ],
    [
      '--entrypoints.websecure.http.tls=true --entrypoints.websecure.http.tls.options=mtls@file --entrypoints.websecure.http.tls.certresolver=le',
      ['listener TRAEFIK_WEBSECURE_TLS=le,options=mtls@file'],
    ],
    ['--entrypoints.websecure.http.tls', ['listener TRAEFIK_WEBSECURE_TLS=true']],
    ['--providers.swarm.network=public --providers.swarm.exposedbydefault=false', ['listener TRAEFIK_NETWORK=public']],
    ['--entrypoints.web.asDefault --entrypoints.websecure.asdefault=false', ['listener TRAEFIK_WEB_AS_DEFAULT=true']],
    ['TRAEFIK_ENTRYPOINTS_WEBSECURE_HTTP_MIDDLEWARES=auth', ['listener TRAEFIK_WEBSECURE_MIDDLEWARES=auth']],
    [
      '--providers.swarm=true\n--providers.swarm.constraints=Label(`a`,`b`)',
      ['listener TRAEFIK_CONSTRAINTS=Label(`a`,`b`)', 'listener TRAEFIK_EXPOSED_BY_DEFAULT=true'],
    ],
    ['- "--providers.docker.exposedbydefault=false"', []],
    ['TRAEFIK_PROVIDERS_SWARM_EXPOSEDBYDEFAULT=true', ['listener TRAEFIK_EXPOSED_BY_DEFAULT=true']],
    [
      '--providers.swarm.exposedbydefault=false --providers.swarm.defaultRule=Host(`{{ .Name }}`)',
      ['listener TRAEFIK_DEFAULT_RULE=Host(`{{ .Name }}`)'],
    ],
    [
      '--entrypoints.websecure.http.tls.certresolver=le --entrypoints.websecure.http.tls.domains[0].main=a.example --entrypoints.websecure.http.tls.domains[0].sans=*.a.example,b.example',
      ['listener TRAEFIK_WEBSECURE_TLS=le,domain=a.example,domain=*.a.example,domain=b.example'],
    ],
    ['--providers.providersThrottleDuration=5s --providers.swarm.exposedbydefault=false', []],
    ['--log.level=DEBUG --api.dashboard=true', []],
  ];
  for (const [text, expected] of cases)
    it(`${text.replaceAll('\n', ' ')} → ${expected.join(', ') || 'nothing'}`, () => {
      expect(settings(text)).to.deep.equal(expected);
      expect(readTraefikArgs(text).problems.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    });

  it('are the arguments of a process, with a value in the next one too; its environment counts without any', () => {
    const args = ['traefik', '--entrypoints.web.address', ':80', '--entrypoints.internal.address=:9000', '--api'];
    expect(settings(traefikLines(args, ['TRAEFIK_PROVIDERS_SWARM=true']))).to.deep.equal([
      'listener TRAEFIK_ENTRYPOINTS=web=80,internal=9000',
    ]);
    expect(settings(traefikLines([], ['TRAEFIK_PROVIDERS_SWARM_NETWORK=web', 'PATH=/bin']))).to.deep.equal([
      'listener TRAEFIK_NETWORK=web',
      'listener TRAEFIK_EXPOSED_BY_DEFAULT=true',
    ]);
    expect(settings(['sh', '-c', 'exec traefik --entrypoints.web.http.middlewares=auth --api'])).to.deep.equal([
      'listener TRAEFIK_WEB_MIDDLEWARES=auth',
    ]);
  });

  it('of the file provider have their equivalent in TRAEFIK_FILE', () => {
    const read = readTraefikArgs('--providers.file.filename=/a.yml', { readsFile: true });
    expect(read.problems).to.deep.equal([]);
    expect(read).to.not.have.property('closesTls');
  });

  const providers: readonly (readonly [flag: string, closesTls: boolean])[] = [
    ['--providers.file.filename=/a.yml', true],
    ['--providers.file.directory=/rules', true],
    ['TRAEFIK_PROVIDERS_FILE_DIRECTORY=/rules', true],
    ['--providers.http.endpoint=http://a', true],
    ['--providers.consul.endpoints=a:8500', true],
    ['--providers.kubernetescrd', true],
    ['--providers.rest.insecure', true],
    ['--providers.etcd=false', false],
    ['--providers.file.watch=true', false],
    ['--providers.consulcatalog', false],
    ['--providers.swarm', false],
    ['--providers.providersThrottleDuration=5s', false],
  ];
  for (const [flag, closesTls] of providers)
    it(`${closesTls ? 'close routers with TLS' : 'close nothing'} where their definitions are not read: ${flag}`, () => {
      const read = readTraefikArgs(flag);
      expect(read.closesTls !== undefined).to.equal(closesTls);
      if (closesTls)
        expect(read.problems.map(({ severity, message }) => `${severity} ${message}`).join()).to.match(/^error .*TLS/);
    });

  it('that are off have no effect', () => {
    expect(readTraefikArgs('--providers.etcd=false --providers.providersThrottleDuration=5s')).to.deep.equal({
      settings: [],
      problems: [],
    });
  });

  // What restricts a whole entrypoint and has no setting, or is not known at all.
  for (const flag of [
    '--entrypoints.web.http.encodedCharacters.allowEncodedSlash=false',
    '--entrypoints.web.http.denyEveryone=true',
    '--entrypoints.web.guard.sourceRange=10.0.0.0/8',
    'TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES_0=auth',
    '--entrypoints.web.address=127.0.0.1:80',
    '--entrypoints.web.address=[::1]:80',
    '--entrypoints.web.address=localhost:80/tcp',
  ])
    it(`close the entrypoint of ${flag}`, () => {
      const { settings: given, problems } = readTraefikArgs(flag);
      expect(given[0]?.setting).to.match(/^TRAEFIK_WEB_CLOSED=[^,]+$/);
      expect(problems.map(({ severity }) => severity)).to.deep.equal(['error']);
    });

  for (const flag of [
    '--entrypoints.web.address=0.0.0.0:80',
    '--entrypoints.web.address=[::]:80',
    '--entrypoints.web.http.sanitizePath=false',
    '--entrypoints.web.http.encodedCharacters.allowEncodedSlash=true',
    '--entrypoints.web.transport.respondingTimeouts.readTimeout=60s',
    '--entrypoints.web.observability.accessLogs=false',
    '--entrypoints.web.http3.advertisedPort=443',
  ])
    it(`close nothing by ${flag}`, () => {
      expect(readTraefikArgs(flag)).to.deep.equal({ settings: [], problems: [] });
    });

  // As Go reads booleans; a value that it rejects must not serve more.
  for (const [value, isExposed] of [
    ['0', false],
    ['f', false],
    ['FALSE', false],
    ['${EXPOSED}', false],
    ['1', true],
    ['T', true],
    ['true', true],
  ] as const)
    it(`${isExposed ? 'serve' : 'do not serve'} every service with exposedByDefault=${value}`, () => {
      expect(settings(`--providers.swarm.exposedByDefault=${value}`)).to.deep.equal(
        isExposed ? ['listener TRAEFIK_EXPOSED_BY_DEFAULT=true'] : [],
      );
    });

  it('of the Docker provider have no effect on services where the Swarm provider is configured too', () => {
    const swarm = '--providers.swarm.exposedByDefault=false --providers.swarm.constraints=Label(`a`,`b`)';
    const docker = '--providers.docker.exposedByDefault=true --providers.docker.constraints=Label(`c`,`d`)';
    const expected = ['listener TRAEFIK_CONSTRAINTS=Label(`a`,`b`)'];
    expect(settings(`${swarm} ${docker}`)).to.deep.equal(expected);
    expect(settings(`${docker} ${swarm}`)).to.deep.equal(expected);
  });

  it('redirect to an entrypoint that is named by its port alone', () => {
    const flags = '--entrypoints.web.address=:80 --entrypoints.secure.address=:8443';
    expect(settings(`${flags} --entrypoints.web.http.redirections.entrypoint.to=:8443`)).to.deep.equal([
      'listener TRAEFIK_WEB_REDIRECT=secure',
      'listener TRAEFIK_ENTRYPOINTS=web=80,secure=8443:ssl',
    ]);
  });

  it('close an entrypoint with TLS that redirects: on TLS a redirection has no effect', () => {
    const { settings: given, problems } = readTraefikArgs(
      '--entrypoints.legacy.address=:8443 --entrypoints.legacy.http.tls=true --entrypoints.legacy.http.redirections.entrypoint.to=websecure',
    );
    const names = given.map(({ setting }) => setting.replace(/=.*/, ''));
    expect(names).to.deep.equal(['TRAEFIK_LEGACY_CLOSED', 'TRAEFIK_LEGACY_TLS', 'TRAEFIK_ENTRYPOINTS']);
    expect(problems.map(({ severity }) => severity)).to.deep.equal(['error']);
  });

  it('may stand in a line of a shell with one dash each', () => {
    const line = 'exec traefik -entrypoints.web.http.middlewares=auth -providers.swarm.exposedbydefault=false';
    expect(settings(['sh', '-ec', line])).to.deep.equal(['listener TRAEFIK_WEB_MIDDLEWARES=auth']);
  });

  // What restricts or routes, and has no setting: never a note alone.
  for (const text of [
    '--configFile=/etc/traefik.yml',
    '--providers.consulcatalog',
    '--providers.file.directory=/rules',
    '--entrypoints.dns.address=:53/udp',
    '--entrypoints.web.http.redirections.entrypoint.to=other',
    '--entrypoints.web.http.redirections.entrypoint.to=websecure --entrypoints.web.http.redirections.entrypoint.scheme=http',
    '--providers.swarm.constraints=Label(`a`)',
    '--experimental.plugins.bouncer.modulename=x',
  ])
    it(`${text} is an error`, () => {
      const { problems } = readTraefikArgs(text);
      expect(problems.map(({ severity, reason }) => [severity, reason])).to.deep.equal([
        ['error', 'traefik-flag-unsupported'],
      ]);
      expect(problems[0]?.suggestion).to.be.a('string');
    });
});
