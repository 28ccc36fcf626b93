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
  {
    traefik: 'traefik.tcp.routers.…HostSNI(`db.example`), tls=true',
    swarmgate: ['com.df.reqMode=tls', 'com.df.entryPorts=ssl', 'com.df.port=5432', 'com.df.serviceDomain=db.example'],
  },
  {
    traefik: 'default: TCP connections without a timeout',
    swarmgate: [
      'com.df.reqMode=tcp',
      'com.df.timeoutTunnel=86400',
      'com.df.clitcpka=true',
      'com.df.srcPort=5432',
      'com.df.port=5432',
    ],
  },
  { traefik: 'loadbalancer.passhostheader=false', swarmgate: ['com.df.passHostHeader=false'] },
  {
    traefik: 'default: responses without a timeout, 60 s for a request',
    swarmgate: ['com.df.timeoutServer=3600', 'com.df.timeoutClient=60'],
    note: 'Without these labels `TIMEOUT_SERVER` and `TIMEOUT_CLIENT` apply, both 20 s by default.',
  },
  {
    traefik: 'tls.domains[0].main=*.shop.example',
    swarmgate: ['com.df.acmeDomains=*.shop.example'],
    note: 'A wildcard needs `dns-01`.',
  },
];

/** docs/from-traefik.md: serving a Traefik stack unchanged, and what to write instead of each label. */
export function traefikPage(): string {
  return `${[
    '# From Traefik',
    generatedNote('scripts/docs/traefik-page.ts'),
    migration,
    '## The same in labels of our own',
    'A stack needs none of them to be served. Rules and middlewares are no objects of their own here: each is a label of the service that uses it. What each label does in full is in [labels](labels.md).',
    table(
      ['Traefik', 'Swarmgate', ''],
      traefikRows.map(({ traefik, swarmgate, note = '' }) => [code(traefik), swarmgate.map(code).join(' '), note]),
    ),
  ].join('\n\n')}\n`;
}

const migration = `Swarmgate serves stacks with \`traefik.*\` labels as they are. What becomes of each label is in [labels of
Traefik](traefik-labels.md); what the settings mean in [environment](environment.md).

## In ten minutes, beside the running Traefik

Traefik keeps its ports until both serve the same. Nothing of it is changed, and no certificate is ordered.

1. **Deploy beside it.** \`TRAEFIK_NETWORK\` is the network that Traefik reaches services over, \`TRAEFIK_SERVICE\` its name in \`docker service ls\`; the ports
   are any that are free:

   \`\`\`sh
   docker/create-secrets.sh
   export TRAEFIK_NETWORK=traefik-public TRAEFIK_SERVICE=traefik_traefik
   export HTTP_PORT=8000 HTTPS_PORT=8443 ADMIN_PORT=8081
   docker stack deploy -c docker/stack.yml -c docker/stack.traefik.yml swarmgate
   \`\`\`

   With a file provider add \`-c docker/stack.traefik-file.yml\` and \`export TRAEFIK_DYNAMIC_FILE=/path/dynamic.yml\`. The listener reads Traefik’s own flags in
   the Swarm. Services are reached over shared networks only, never by published ports.
2. **Bring the certificates.** \`acme.json\` holds private keys; copy it from Traefik’s volume:

   \`\`\`sh
   export SWARMGATE_URL=http://127.0.0.1:8081 ADMIN_TOKEN=…
   swarmgate certificates import acme.json
   \`\`\`

3. **Compare.** \`problems\` names what is not served as Traefik serves it, with the remedy. \`diff\` of each stack file prints \`no difference\` where all that it
   describes is served, prints the settings equivalent to Traefik’s flags, and lines with \`?\` where the order of two routers is not
   Traefik’s, or is left open there. \`explain\` shows the route and the middlewares of one request:

   \`\`\`sh
   swarmgate problems
   swarmgate diff stack.yml --stack shop --traefik-service   # TRAEFIK_FILE=dynamic.yml before it, where there is one
   swarmgate explain https://shop.example/cart
   curl --connect-to ::127.0.0.1:8443 https://shop.example/cart
   \`\`\`

   \`--traefik-service\` reads the Swarm at \`DF_DOCKER_HOST\`: the flags of Traefik, and the names of all other services, whose middlewares
   the stack may use.
4. **Let go of the flags.** They go with the Traefik service. Write the listener’s settings that \`diff\` prints into \`docker/traefik/settings.env\` (or the file that
   \`TRAEFIK_SETTINGS\` names), export those of the proxy, and deploy again with \`TRAEFIK_SERVICE=off\`. \`diff --swarm\`, with the same settings in its environment, still prints
   \`no difference\`. Where Traefik is removed before that, what is registered stays, and nothing new is served (problem \`traefik-service-missing\`).
5. **Switch.** Take Traefik off its ports, and put Swarmgate on them:

   \`\`\`sh
   docker service scale traefik_traefik=0
   export HTTP_PORT=80 HTTPS_PORT=443 TRAEFIK_SERVICE=off ACME_DIRECTORY_AFTER_SWITCH=letsencrypt ACME_EMAIL=ops@example.com
   docker stack deploy -c docker/stack.yml -c docker/stack.traefik.yml swarmgate
   \`\`\`

   Nothing has the ports until the new proxy runs, some seconds later: where that is too long, switch by DNS or a load balancer between the two.
   A global service has no scale: \`docker service rm\` it. The way back is the same in the other direction: the ports of step 1, and \`docker service scale traefik_traefik=1\`.

## What the steps do

1. **Read what would be served.** \`swarmgate check stack.yml\` reads both families of labels, without an engine: it names rules that
   cannot be read with the place in the rule, misspelt labels with the nearest one, middlewares that are missing or that no router
   names, entrypoints that are not known, services without a port, and labels of Traefik 1 with what to write.
2. **Take over Traefik’s own flags.** Half of a set-up is often there. The listener reads the flags (else the environment) of the Traefik
   service in its Swarm, by its image; \`swarmgate check\`, \`diff\` and \`convert\` those of a Traefik in the stack files, of the Swarm
   (\`--traefik-service\`) or of a file (\`--traefik-args FILE\`), print the equivalent settings, and fail for a flag that restricts and has none:

   | Traefik’s flag | setting of the listener |
   |---|---|
   | \`--entrypoints.web.address=:80\`, \`--entrypoints.websecure.address=:443\` | none while there are no others: \`web\` and \`http\` are the plain ports, \`websecure\` and \`https\` those with TLS |
   | \`--entrypoints.internal.address=:8000\` | \`TRAEFIK_ENTRYPOINTS=internal=8000\`; with TLS \`internal=8000:ssl\`. The proxy opens the port: \`BIND_PORTS=8000\` |
   | \`--providers.swarm.exposedByDefault\` (default \`true\`) | \`TRAEFIK_EXPOSED_BY_DEFAULT=true\` (default \`false\`) |
   | \`--providers.swarm.constraints=…\` | \`TRAEFIK_CONSTRAINTS=…\`, in the same grammar |
   | \`--providers.swarm.defaultRule=…\` | \`TRAEFIK_DEFAULT_RULE=…\` |
   | \`--providers.swarm.network=…\` | \`TRAEFIK_NETWORK=…\` |
   | \`--entrypoints.web.http.redirections.entrypoint.to=websecure\` | \`TRAEFIK_WEB_REDIRECT=websecure\`: every request to the entrypoint, of unknown hosts too, but for the challenges of certificates. What \`com.df.*\` labels serve there stays |
   | \`--providers.file.filename=…\`, \`.directory=…\` | \`TRAEFIK_FILE=…\`, a file or a folder, mounted into the listener. Without it routers with TLS respond with 503, because the file may demand certificates of clients |
   | \`--providers.http.…\`, \`.consul\`, \`.etcd\`, \`.kubernetes…\` and others that define TLS options | none: routers with TLS respond with 503 until \`TRAEFIK_SERVICE=off\` |
   | \`--certificatesresolvers.le.acme.…\` | \`ACME_DIRECTORY\`, \`ACME_EMAIL\`, \`ACME_CHALLENGE\`, \`ACME_PROFILE\`, \`ACME_CA_FILE\`, \`ACME_DNS_RESOLVERS\`, \`ACME_EAB_…\` of the proxy, for all resolvers together: [certificates](certificates.md). Credentials of DNS providers are no flags: what to set instead is a warning |
   | \`--entrypoints.websecure.http.middlewares=auth@swarm\` | \`TRAEFIK_WEBSECURE_MIDDLEWARES=auth@swarm\` |
   | \`--entrypoints.websecure.http.tls.certresolver=le\` | \`TRAEFIK_WEBSECURE_TLS=le\` |
   | \`--entrypoints.websecure.asDefault=true\` | \`TRAEFIK_WEBSECURE_AS_DEFAULT=true\` |
   | \`--entrypoints.….http.tls.options=…\` | \`TRAEFIK_…_TLS=true,options=…\`: its routers respond with 503, unless \`TRAEFIK_FILE\` defines the options and they demand no more than TLS 1.2 |
   | \`--entrypoints.….http.tls.domains[0].main=*.a.example\` | \`TRAEFIK_…_TLS=le,domain=*.a.example\` |
   | \`--entrypoints.….forwardedHeaders.trustedIPs=…\` | \`TRUSTED_PROXIES=…\` of the proxy, the addresses of all entrypoints together: a warning names the entrypoints where Traefik trusts fewer |
   | \`--entrypoints.….proxyProtocol.trustedIPs=…\` | \`TRUSTED_PROXIES=…\` and \`PROXY_PROTOCOL_PORTS=…\` of the proxy: each connection to such a port needs a PROXY header |
   | \`….forwardedHeaders.insecure\`, \`….proxyProtocol.insecure\` | the same with \`0.0.0.0/0,::/0\`, and a warning |
   | \`--configFile=…\`, or a static file that is mounted | none: nothing is served before its content stands in settings and \`TRAEFIK_SERVICE=off\` |

   Settings that are given count before the flags. The flags go with the service: set their values before you remove Traefik, and
   \`TRAEFIK_SERVICE=off\`. Until then a Traefik that is gone is the problem \`traefik-service-missing\`, what is registered stays, and nothing new is served.

   Traefik’s dynamic file goes in by \`TRAEFIK_FILE\`: mount it into the listener: YAML, TOML (\`.toml\`), or a folder of
   such files and folders, of which the first one that defines a name holds. Routers, middlewares and services count, as \`name@file\` for labels: servers with their weights, addresses of TCP, and \`weighted\` and \`failover\` over services of the file and of the Swarm (\`name@swarm\`). What leads to a mirroring service, or to a combined one of which a service is missing, is not served; TLS options that demand no more than TLS 1.2 count; others close the routers that name
   them. Certificates, UDP and templates do not count. All of it is reported with its line.
3. **Turn it on without the stack file.** \`LABELS=df,traefik\` on the listener; its other settings go into \`docker/traefik/settings.env\`. Without it the listener logs how many services carry \`traefik.*\`
   labels, and \`GET /v1/status\` of the listener has the number (\`labels.traefikServices\`), because such labels may be meant for a Traefik that is
   internal. \`labels.traefik\` there has the service whose flags are read, and the equivalent settings.
4. **Leave the labels of Traefik behind, or keep them.** \`swarmgate convert stack.yml\` prints the stack with \`com.df.*\` labels that route
   the same, and names on standard error what has no equivalent: a router with such a middleware stays closed. Labels of containers
   (\`labels:\` instead of \`deploy.labels\`), which Traefik ignores in Swarm mode, stay where they are and are named too. It ends with 1
   where anything that the file requests is left out.

\`TIMEOUT_SERVER\` does not apply to routers of Traefik, and \`TIMEOUT_CLIENT\` only to those of HTTP/2 services (\`scheme=h2c\`). An endpoint may be silent for an hour
before and within a response, because Traefik sets no limit; a request fails after a minute if its endpoint accepts no connections. A client may be silent
within a body, or read nothing of a response over HTTP/1.1, for 60 s, which Traefik gives a whole request. Connections of TCP routers may be quiet for a day.

Routers are ordered as Traefik orders them: by \`priority\`, else by the length of the rule. Equal priorities, which Traefik leaves open, are in the order of
the services’ names here. Where a service has \`com.df.notify=true\` too,
its \`com.df.*\` labels hold, and its routers of Traefik are not served.`;
