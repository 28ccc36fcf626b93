import { consulAddress, redisAddress } from './address-parsers.ts';
import { boolean, keyPart, oneOf, ownerName, secretsKeys, text } from './parsers.ts';
import { all, given, optional, serving } from './setting.ts';

/** What every process shares: the registry, the names in it, the log. */
export const registrySettings = {
  consulAddress: optional({
    env: ['CONSUL_HTTP_ADDR'],
    parse: consulAddress,
    usedBy: all,
    meaning: 'Consul agent, `host:port` or URL. Not set: the embedded registry',
  }),
  consulToken: optional({ env: ['CONSUL_HTTP_TOKEN'], parse: text, secret: true, usedBy: all, meaning: 'ACL token' }),
  consulSsl: given({
    env: ['CONSUL_HTTP_SSL'],
    parse: boolean,
    default: 'false',
    usedBy: all,
    meaning: 'Use TLS to Consul',
  }),
  consulCaCert: optional({
    env: ['CONSUL_CACERT'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: all,
    meaning: 'File with the authority that signed Consul’s certificate',
  }),
  consulClientCert: optional({
    env: ['CONSUL_CLIENT_CERT'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: all,
    meaning: 'File with the client certificate for mutual TLS',
  }),
  consulClientKey: optional({
    env: ['CONSUL_CLIENT_KEY'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: all,
    meaning: 'File with the key of the client certificate',
  }),
  instanceName: given({
    env: ['PROXY_INSTANCE_NAME'],
    parse: keyPart,
    default: 'swarmgate',
    usedBy: all,
    meaning: 'Prefix of all keys; proxies of different kinds can share one Consul',
  }),
  dataDir: given({
    env: ['DATA_DIR'],
    parse: text,
    default: './.swarmgate',
    pathOf: 'folder',
    usedBy: serving,
    meaning: 'Last good snapshot, certificates, embedded registry',
  }),
  secretsKey: optional({
    env: ['SECRETS_KEY'],
    parse: secretsKeys,
    secret: true,
    usedBy: all,
    meaning: '32 bytes in base64 (two, comma-separated, during a rotation) that encrypt private keys in the registry',
  }),
  redisUrl: optional({
    env: ['REDIS_URL'],
    parse: redisAddress,
    secret: true,
    usedBy: serving,
    meaning: 'Optional cluster bus: shared rate limits, health hints, counters',
  }),
  swarmName: given({
    env: ['SWARM_NAME'],
    parse: ownerName,
    default: 'swarm',
    usedBy: all,
    meaning: 'Owner under which the listener publishes; one per Swarm that shares a registry',
  }),
  logLevel: given({
    env: ['LOG_LEVEL'],
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    usedBy: all,
    meaning: 'Least severe log line that is written',
  }),
} as const;
