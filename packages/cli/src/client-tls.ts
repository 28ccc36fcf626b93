import { Agent } from 'node:https';
import type { Settings } from '@swarmgate/runtime';
import { messageOf, UsageError } from '@swarmgate/runtime/errors';
import { readRegularFileSync } from '@swarmgate/runtime/regular-file';

/**
 * How calls by https check the proxy: by `SWARMGATE_CACERT`; on the machine of the proxy by `ADMIN_TLS`, whose very certificate
 * counts there under any name; else by the authorities of Node (`NODE_EXTRA_CA_CERTS` adds some). Without a check no call.
 * @throws UsageError `admin-ca-unusable`
 */
export function secureAgent({ adminCa, adminTls }: Pick<Settings, 'adminCa' | 'adminTls'>, host: string): Agent {
  if (adminCa !== undefined) return new Agent({ ca: read('SWARMGATE_CACERT', adminCa) });
  if (adminTls === undefined || !['127.0.0.1', 'localhost', '[::1]'].includes(host)) return new Agent();
  const pem = adminTls.includes('-----BEGIN ') ? adminTls : read('ADMIN_TLS', adminTls);
  const ca = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return new Agent({ ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined });
}

function read(name: string, path: string): string {
  try {
    return readRegularFileSync(path);
  } catch (cause) {
    throw new UsageError('admin-ca-unusable', `${name}=${path}: cannot be read (${messageOf(cause)})`, { cause });
  }
}
