import {
  type AcmeSettings,
  AutomaticCertificates,
  type HeadMark,
  orderingRules,
  type ServedView,
} from '@swarmgate/acme';
import type { Registry, ReplicaPresence, SecretsKey } from '@swarmgate/registry';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import { type Certificate, readCertificate } from '../../server/tls/certificate.ts';
import { type CertificateSource, certificateSources } from '../../server/tls/certificate-store.ts';
import type { Server } from '../serving/server.ts';
import { measureCertificates } from './certificate-metrics.ts';
import { servedNames } from './served-names.ts';

export interface OrderedCertificatesOptions {
  readonly settings: AcmeSettings & Pick<Settings, 'dataDir' | 'serviceDomainAlgo' | 'defaultPorts' | 'bindPorts'>;
  readonly registry: Registry;
  readonly replica: string;
  readonly version: string;
  readonly secretsKeys: readonly SecretsKey[];
  readonly server: Server;
  readonly presence: Pick<ReplicaPresence, 'waitUntil'>;
  readonly metrics: Metrics;
  /** PEM of `CA_FILE`. */
  readonly clientAuthorities: string | undefined;
  readonly logger: Logger;
  readonly onServed: (mark: HeadMark) => void;
}

/** Sources whose certificates count before those that are ordered. */
const betterSources: readonly CertificateSource[] = certificateSources.filter(
  (source) => source !== 'self-signed' && source !== 'acme',
);

/**
 * Certificates by ACME, between the serving side of this proxy and package `acme`: what is ordered follows from the table,
 * what was issued goes into the certificate store. Serves what is on disk when it resolves; orders after `order`.
 * @throws UsageError where `SECRETS_KEY` is missing, or settings of external accounts or DNS do not fit together
 */
export async function startOrderedCertificates(options: OrderedCertificatesOptions): Promise<AutomaticCertificates> {
  const { settings, registry, server, logger } = options;
  const rules = await orderingRules(settings);
  const store = server.certificates?.();
  const ready = new ReadyCertificates(options.clientAuthorities, logger);
  const securePorts = [...settings.defaultPorts, ...settings.bindPorts].flatMap(({ port, secure }) =>
    secure ? [port] : [],
  );
  const measured = measureCertificates(options.metrics, () => certificates.ordered());
  const certificates: AutomaticCertificates = await AutomaticCertificates.start({
    rules,
    store: registry.store,
    instance: registry.instance,
    replica: options.replica,
    version: options.version,
    secretsKeys: options.secretsKeys,
    dataDir: settings.dataDir,
    presence: options.presence,
    logger,
    events: measured,
    services: () =>
      servedNames(server.table().routes(), { securePorts, serviceDomainAlgo: settings.serviceDomainAlgo }),
    better: () => betterSources.flatMap((source) => store?.of(source).flatMap(({ hosts }) => hosts) ?? []),
    serve: async (view) => {
      store?.replace('acme', ready.of(view));
      await server.serveChallenges?.(view.responses);
    },
    onServed: options.onServed,
  });
  store?.onChange(() => certificates.changed());
  return certificates;
}

/** Certificates as they are served. Making one ready takes a while, so those that stay are kept. */
class ReadyCertificates {
  readonly #authorities: string | undefined;
  readonly #logger: Logger;
  #known = new Map<string, Certificate>();

  constructor(authorities: string | undefined, logger: Logger) {
    this.#authorities = authorities;
    this.#logger = logger;
  }

  of({ certificates }: ServedView): readonly Certificate[] {
    const next = new Map<string, Certificate>();
    for (const { name, pem } of certificates) {
      const known = this.#known.get(pem);
      const read = known === undefined ? readCertificate(name, pem, this.#authorities) : undefined;
      if (read?.ok === false) this.#logger.warn({ name }, `an ordered certificate cannot be used: ${read.reason}`);
      const certificate = known ?? (read?.ok === true ? read.certificate : undefined);
      if (certificate !== undefined) next.set(pem, certificate);
    }
    this.#known = next;
    return [...next.values()];
  }
}
