import { expect } from 'chai';
import { readTraefikArgs } from './traefik-args.ts';

const settingsOf = (text: string) => readTraefikArgs(text).settings.map(({ of, setting }) => `${of} ${setting}`);

describe('flags of Traefik', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['--entrypoints.web.address=:80 --entrypoints.websecure.address=:443', []],
    [
      '--entryPoints.web.address=:8000\n--entrypoints.internal.address=:9000/tcp',
      ['listener TRAEFIK_ENTRYPOINTS=web=8000,internal=9000'],
    ],
    [
      '--entrypoints.secure.address=:8443\n--entrypoints.secure.http.tls.certresolver=le',
      ['listener TRAEFIK_ENTRYPOINTS=secure=8443:ssl'],
    ],
    ['--entrypoints.web.http.redirections.entryPoint.to=websecure', ['proxy HTTPS_ONLY=true']],
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
    ['--entrypoints.web.forwardedHeaders.trustedIPs=10.0.0.0/8', ['proxy TRUSTED_PROXIES=10.0.0.0/8']],
    [
      '--certificatesresolvers.le.acme.email=ops@a.example --certificatesresolvers.le.acme.tlschallenge=true',
      ['proxy ACME_EMAIL=ops@a.example', 'proxy ACME_CHALLENGE=tls-alpn-01'],
    ],
    ['--log.level=DEBUG --api.dashboard=true', []],
  ];
  for (const [text, expected] of cases)
    it(`${text.replaceAll('\n', ' ')} → ${expected.join(', ') || 'nothing'}`, () => {
      expect(settingsOf(text)).to.deep.equal(expected);
      expect(readTraefikArgs(text).problems.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    });

  it('warn of routers that TLS of an entrypoint alone does not reach here', () => {
    const { problems } = readTraefikArgs(
      '--entrypoints.websecure.http.tls=true --entrypoints.websecure.http.tls.certresolver=le',
    );
    expect(problems.map(({ severity, reason }) => [severity, reason])).to.deep.equal([
      ['warning', 'traefik-flag-partly'],
    ]);
  });

  // What restricts or routes, and has no setting: never a note alone.
  for (const text of [
    '--entrypoints.websecure.http.middlewares=auth@file',
    '--providers.file.directory=/rules',
    '--entrypoints.web.forwardedHeaders.insecure',
    '--entrypoints.dns.address=:53/udp',
    '--entrypoints.web.http.redirections.entrypoint.to=other',
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
