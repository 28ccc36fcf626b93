import { bearerToken, boolean, portOrOff } from './parsers.ts';
import { given, optional, serving } from './setting.ts';

/** Consul's own UI behind the proxy's authentication. */
export const consulUiSettings = {
  consulUiPort: given({
    env: ['CONSUL_UI_PORT'],
    parse: portOrOff,
    default: 'off',
    usedBy: serving,
    meaning:
      'Consul’s UI and API at `ADMIN_HOST`, for holders of `ADMIN_TOKEN` (bearer, or password of basic authentication); `off`. Needs `ADMIN_TOKEN` and `CONSUL_HTTP_ADDR`',
  }),
  consulUiToken: optional({
    env: ['CONSUL_UI_TOKEN'],
    parse: bearerToken,
    secret: true,
    usedBy: serving,
    meaning:
      'ACL token for calls through `CONSUL_UI_PORT` that bring no `X-Consul-Token`. Its policy is `docker/consul/acl/ui-policy.hcl`. Not set: Consul’s anonymous token',
  }),
  consulUiInsecure: given({
    env: ['CONSUL_UI_INSECURE'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: '`CONSUL_UI_PORT` without TLS: the admin token and every document pass in plain text',
  }),
} as const;
