import { code, generatedNote, table } from './markdown.ts';

/** One rule of Traefik (v2 and v3, Swarm provider) and the labels that do the same here. */
export interface TraefikRow {
  readonly traefik: string;
  /** Labels with values, checked against the catalogue by a test. */
  readonly swarmgate: readonly string[];
  readonly note?: string;
}

export const traefikRows: readonly TraefikRow[] = [
  { traefik: 'traefik.enable=true', swarmgate: ['com.df.notify=true'] },
  {
    traefik: 'traefik.http.services.web.loadbalancer.server.port=8080',
    swarmgate: ['com.df.port=8080'],
  },
  { traefik: 'rule=Host(`shop.example`)', swarmgate: ['com.df.serviceDomain=shop.example'] },
  {
    traefik: 'rule=Host(`a.example`) || Host(`b.example`)',
    swarmgate: ['com.df.serviceDomain=a.example,b.example'],
  },
  { traefik: 'rule=HostRegexp(`^.+\\.shop\\.example$`)', swarmgate: ['com.df.serviceDomain=*.shop.example'] },
  {
    traefik: 'rule=PathPrefix(`/api`)',
    swarmgate: ['com.df.servicePath=/api'],
    note: 'A prefix ends at a segment: `/apiary` does not match.',
  },
  { traefik: 'rule=Path(`/health`)', swarmgate: ['com.df.servicePath=/health', 'com.df.pathType=path'] },
  {
    traefik: 'rule=PathRegexp(`^/v[0-9]+/`)',
    swarmgate: ['com.df.servicePath=^/v[0-9]+/', 'com.df.pathType=path_reg'],
  },
  { traefik: 'rule=Header(`X-Version`, `3`)', swarmgate: ['com.df.serviceHeader=X-Version:3'] },
  {
    traefik: 'two routers of one service',
    swarmgate: ['com.df.servicePath.1=/a', 'com.df.port.1=80', 'com.df.servicePath.2=/b', 'com.df.port.2=81'],
  },
  {
    traefik: 'priority=…',
    swarmgate: ['com.df.aclName=05-web'],
    note: 'Only among matches that are equally specific; the more specific one wins by itself.',
  },
  { traefik: 'entrypoints=admin (port 9000)', swarmgate: ['com.df.srcPort=9000'], note: '`BIND_PORTS=9000` opens it.' },
  { traefik: 'redirectscheme.scheme=https', swarmgate: ['com.df.httpsOnly=true', 'com.df.httpsRedirectCode=301'] },
  { traefik: 'redirectregex from www to the bare name', swarmgate: ['com.df.redirectFromDomain=www.shop.example'] },
  { traefik: 'stripprefix.prefixes=/api', swarmgate: ['com.df.reqPathSearchReplace=^/api,'] },
  { traefik: 'replacepathregex', swarmgate: ['com.df.reqPathSearchReplace=^/old/(.*),/new/\\1'] },
  { traefik: 'basicauth.users=jane:$apr1$…', swarmgate: ['com.df.usersSecret=web', 'com.df.usersPassEncrypted=true'] },
  { traefik: 'ipallowlist.sourcerange=10.0.0.0/8', swarmgate: ['com.df.allowedAddresses=10.0.0.0/8'] },
  { traefik: 'ratelimit.average=100', swarmgate: ['com.df.rateLimit=100/s'] },
  { traefik: 'headers.customrequestheaders.X-A=b', swarmgate: ['com.df.setReqHeader=X-A b'] },
  {
    traefik: 'headers.stsSeconds=31536000',
    swarmgate: ['com.df.setResHeader=Strict-Transport-Security max-age=31536000 if { ssl_fc }'],
  },
  { traefik: 'compress=true', swarmgate: ['com.df.compressionAlgo=br gzip'] },
  { traefik: 'loadbalancer.sticky.cookie=true', swarmgate: ['com.df.sessionType=sticky-server'] },
  {
    traefik: 'weighted round robin of two services',
    swarmgate: ['com.df.weight=5'],
    note: 'On both services, with the same match.',
  },
  { traefik: 'loadbalancer.healthcheck.path=/health', swarmgate: ['com.df.checkPath=/health'] },
  {
    traefik: 'traefik.tcp.routers.…HostSNI(`*`)',
    swarmgate: ['com.df.reqMode=tcp', 'com.df.srcPort=5432', 'com.df.port=5432'],
  },
  {
    traefik: 'traefik.tcp.routers.…HostSNI(`db.example`), tls.passthrough=true',
    swarmgate: ['com.df.reqMode=sni', 'com.df.srcPort=443', 'com.df.port=443', 'com.df.serviceDomain=db.example'],
  },
];

/** docs/from-traefik.md: the common Traefik labels and what to write instead. */
export function traefikPage(): string {
  return `${[
    '# From Traefik labels',
    generatedNote('scripts/docs/traefik-page.ts'),
    'Rules and middlewares are no objects of their own here: each is a label of the service that wants it. Labels go under `deploy.labels`, as with Traefik’s Swarm provider. What each label does in full is in [labels](labels.md).',
    table(
      ['Traefik', 'Swarmgate', ''],
      traefikRows.map(({ traefik, swarmgate, note = '' }) => [code(traefik), swarmgate.map(code).join(' '), note]),
    ),
  ].join('\n\n')}\n`;
}
