import {
  type KeyValueStore,
  openCertificate,
  RegistryError,
  type SecretsKey,
  sealCertificate,
  splitPem,
} from '@swarmgate/registry';
import { backoffMs, type Logger, pause, type Tasks } from '@swarmgate/runtime';
import { type Certificate, readCertificate } from './certificate.ts';
import type { CertificateListing, CertificateStore } from './certificate-store.ts';

export interface SharedCertificatesOptions {
  readonly store: KeyValueStore;
  /** Where they stand in the registry: `<instance>/certs/`. */
  readonly prefix: string;
  /** Of `SECRETS_KEY`, the first one seals; empty where none is set. */
  readonly keys: readonly SecretsKey[];
  readonly certificates: CertificateStore;
  readonly clientAuthorities?: string;
  readonly logger: Logger;
  readonly tasks: Pick<Tasks, 'run'>;
}

export type PutCertificate =
  | { readonly ok: true; readonly message: string }
  | { readonly ok: false; readonly message: string };

/**
 * Certificates that all replicas share through the registry, private keys encrypted. What cannot be read keeps what was
 * served before: a registry that is away never takes a certificate out of service.
 */
export class SharedCertificates {
  readonly #options: SharedCertificatesOptions;
  readonly #stopped = new AbortController();
  readonly #known = new Map<string, { readonly sealed: string; readonly certificate: Certificate }>();
  #following: Promise<void> | undefined;

  constructor(options: SharedCertificatesOptions) {
    this.#options = options;
  }

  start(): void {
    const { signal } = this.#stopped;
    this.#following ??= this.#options.tasks.run('shared-certificates', signal, () => this.#follow(signal));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#following;
  }

  list(): readonly CertificateListing[] {
    return this.#options.certificates.listing();
  }

  /** Seals a certificate with its key, writes it for all replicas, and serves it here at once. */
  async put(name: string, pem: string, by: string): Promise<PutCertificate> {
    const { keys, store, prefix, clientAuthorities, logger } = this.#options;
    const [first, ...others] = keys;
    if (first === undefined)
      return {
        ok: false,
        message: 'SECRETS_KEY is not set, and private keys go into the registry only encrypted: set it on all replicas',
      };
    const read = readCertificate(name, pem, clientAuthorities);
    const pair = splitPem(pem);
    if (!read.ok) return { ok: false, message: read.reason };
    if (pair === undefined) return { ok: false, message: `${name} needs a certificate and its private key` };
    const sealed = sealCertificate(pair, name, [first, ...others]);
    try {
      const written = await store.transact([{ kind: 'set', key: `${prefix}${name}`, value: sealed }]);
      if (!written.ok) return { ok: false, message: `the registry did not take it: ${written.reason}` };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { ok: false, message: error.message };
    }
    this.#known.set(name, { sealed, certificate: read.certificate });
    this.#serve();
    logger.info({ name, hosts: read.certificate.hosts, by }, 'a certificate was stored for all replicas');
    return { ok: true, message: `${name} is served for ${read.certificate.hosts.join(', ')}` };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store, prefix, logger } = this.#options;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const names = await store.waitForNames(prefix, index, signal);
        // A lower index: the store was restarted, so the old index is void.
        const same = names.index === index;
        index = names.index < index ? 0 : names.index;
        failures = 0;
        if (!same) await this.#read(signal);
      } catch (error) {
        if (signal.aborted) return;
        index = 0;
        if (failures === 0) logger.warn({ err: error }, 'shared certificates cannot be followed');
        await pause(backoffMs(failures, 250, 5_000), signal);
        failures += 1;
      }
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { store, prefix, keys, clientAuthorities, logger } = this.#options;
    const { data } = await store.list(prefix, signal);
    // Consul responds to a lost token with an empty list. Certificates are replaced, hardly ever removed: nothing here is no
    // reason to stop serving the present ones.
    if (data.length === 0) return;
    const seen = new Set<string>();
    for (const { key, value } of data) {
      const name = key.slice(prefix.length);
      if (name === '') continue;
      seen.add(name);
      if (this.#known.get(name)?.sealed === value) continue;
      const opened = openCertificate(value, name, keys);
      const read = opened.ok
        ? readCertificate(name, `${opened.pair.certificate}\n${opened.pair.privateKey}`, clientAuthorities)
        : { ok: false as const, reason: `${name} cannot be decrypted: ${opened.reason}` };
      if (read.ok) this.#known.set(name, { sealed: value, certificate: read.certificate });
      else logger.warn({ name }, `a shared certificate cannot be used: ${read.reason}`);
    }
    for (const name of this.#known.keys()) if (!seen.has(name)) this.#known.delete(name);
    this.#serve();
  }

  #serve(): void {
    const inOrder = [...this.#known].sort(([one], [other]) => (one < other ? -1 : 1));
    this.#options.certificates.replace(
      'registry',
      inOrder.map(([, { certificate }]) => certificate),
    );
  }
}
