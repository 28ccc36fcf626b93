import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { consulBinary, startConsul } from './consul.ts';
import { freePort } from './free-ports.ts';

const run = promisify(execFile);

/** A Consul with an authority of its own, which speaks TLS on a port beside the plain one that the harness itself uses. */
export interface TlsConsul {
  /** `host:port` of the TLS port, by the name that stands in its certificate. */
  readonly address: string;
  /** The plain port, which a program with TLS configured must not use. */
  readonly plainUrl: string;
  readonly caFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  /** Holds the files; tests may put theirs there. */
  readonly directory: string;
  remove(): Promise<void>;
}

/** With `mutual` it refuses clients without a certificate of its authority. */
export async function startTlsConsul(options: { readonly mutual: boolean }): Promise<TlsConsul> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-tls-'));
  const file = (name: string) => join(directory, name);
  const tls = async (...words: readonly string[]) => run(await consulBinary(), ['tls', ...words], { cwd: directory });
  await tls('ca', 'create');
  await tls('cert', 'create', '-server');
  await tls('cert', 'create', '-client');
  const port = await freePort();
  const caFile = file('consul-agent-ca.pem');
  const consul = await startConsul({
    config: {
      addresses: { https: '127.0.0.1' },
      ports: { https: port },
      ca_file: caFile,
      cert_file: file('dc1-server-consul-0.pem'),
      key_file: file('dc1-server-consul-0-key.pem'),
      verify_incoming_https: options.mutual,
    },
  });
  return {
    address: `localhost:${port}`,
    plainUrl: consul.url,
    caFile,
    clientCertFile: file('dc1-client-consul-0.pem'),
    clientKeyFile: file('dc1-client-consul-0-key.pem'),
    directory,
    async remove() {
      await consul.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
