import { join } from 'node:path';
import type { KeyValueStore, Problem, ReplicaPresence, SecretsKey, ServiceKey } from '@swarmgate/registry';
import { type Logger, type Running, stopAll, UsageError } from '@swarmgate/runtime';
import type { OrderingRules } from './acme-settings.ts';
import type { OpenChallengeResponses } from './challenges/challenge-board.ts';
import { ChallengeResponseOpener } from './challenges/open-challenge-responses.ts';
import { normalName } from './names/name-kind.ts';
import { type SelectedNames, type ServiceNames, selectNames } from './names/select-names.ts';
import { type ImportedCertificate, importCertificates } from './ordering/import-certificates.ts';
import { openCertificateDocument } from './ordering/order-documents.ts';
import { Orderer } from './ordering/orderer.ts';
import type { OrdererEvents, OrdererOptions } from './ordering/orderer-options.ts';
import { type IssuerNames, issuerNames } from './orders/issuers.ts';
import {
  certificatesIn,
  listImpossible,
  listOrdered,
  listWaiting,
  type OrderedCertificate,
  type WaitingName,
} from './report/certificate-listing.ts';
import { certificateProblems } from './report/certificate-problems.ts';
import { AcmeFollower, type AcmeView } from './storage/acme-follower.ts';
import type { HeadMark } from './storage/acme-head.ts';
import { acmeKeys, documentKeys } from './storage/acme-keys.ts';
import { documentFolder } from './storage/document-folder.ts';
import { accountSchema, type RequestDocument, readDocument } from './storage/documents.ts';
import { leaveRequests } from './storage/inbox.ts';

/** What a replica is to serve. */
export interface ServedView {
  readonly responses: OpenChallengeResponses;
  /** Chain and key in one PEM each; the later one of two counts for the same name. */
  readonly certificates: readonly { readonly name: string; readonly pem: string }[];
}

export interface AutomaticCertificatesOptions {
  readonly rules: OrderingRules;
  readonly store: KeyValueStore;
  readonly instance: string;
  readonly replica: string;
  readonly version: string;
  /** Of `SECRETS_KEY`. */
  readonly secretsKeys: readonly SecretsKey[];
  readonly dataDir: string;
  readonly presence: Pick<ReplicaPresence, 'waitUntil'>;
  readonly logger: Logger;
  readonly events: OrdererEvents;
  /** Services with the names of their http routes on TLS entrypoints. */
  readonly services: () => readonly ServiceNames[];
  /** Names of certificates from other sources, which count before these. */
  readonly better: () => readonly string[];
  /** Puts it in force; resolves when every worker serves it. */
  readonly serve: (view: ServedView) => Promise<void>;
  /** Everything up to this mark is served: the replica reports it. */
  readonly onServed: (mark: HeadMark) => void;
  /** For tests. */
  readonly ordering?: Partial<OrdererOptions>;
}

/** Certificates by ACME for one replica: it serves what there is, and orders when it holds the lock. */
export class AutomaticCertificates implements Running {
  readonly #options: AutomaticCertificatesOptions;
  readonly #secretsKeys: readonly [SecretsKey, ...SecretsKey[]];
  readonly #follower: AcmeFollower;
  readonly #makeOrderer: () => Orderer;
  #orderer: Orderer | undefined;
  readonly #responses = new ChallengeResponseOpener();
  #selected: SelectedNames | undefined;

  private constructor(options: AutomaticCertificatesOptions, secretsKeys: readonly [SecretsKey, ...SecretsKey[]]) {
    const { store, instance, dataDir, logger, replica } = options;
    const keys = acmeKeys(instance);
    this.#options = options;
    this.#secretsKeys = secretsKeys;
    this.#follower = new AcmeFollower({
      store,
      keys,
      folder: documentFolder(join(dataDir, 'acme'), logger),
      logger,
      apply: async (view) => options.serve(await this.#served(view)),
      onServed: options.onServed,
      onMissing: (documents) => {
        const requests = [...documents].map(([key, value]) => ({ kind: 'restore' as const, key, value, by: replica }));
        this.#leave(requests).catch((error: unknown) =>
          logger.warn({ err: error }, 'certificates cannot be given back to the registry'),
        );
      },
    });
    this.#makeOrderer = () =>
      new Orderer({
        ...options.rules.orderer,
        store,
        keys,
        replica,
        secretsKeys,
        userAgent: `swarmgate/${options.version}`,
        required: () => this.#selection().required,
        presence: options.presence,
        events: options.events,
        logger,
        ...options.ordering,
      });
  }

  /**
   * Serves what is on disk, then follows the registry. `order` contends for the lock.
   * @throws UsageError where `SECRETS_KEY` is missing
   */
  static async start(options: AutomaticCertificatesOptions): Promise<AutomaticCertificates> {
    const [first, ...others] = options.secretsKeys;
    if (first === undefined)
      throw new UsageError(
        'settings-invalid',
        'ACME_DIRECTORY is set and SECRETS_KEY is not: private keys go into the registry only encrypted. Make one (openssl rand -base64 32) and give the same to every proxy, in the stack as the secret swarmgate_secrets_key (docker/create-secrets.sh)',
      );
    const certificates = new AutomaticCertificates(options, [first, ...others]);
    await certificates.#follower.start();
    return certificates;
  }

  /** Orders whenever this replica holds the lock. Called once it accepts connections: CAs may come to it from then on. */
  order(): void {
    this.#orderer ??= this.#makeOrderer();
  }

  async stop(): Promise<void> {
    await stopAll(this.#orderer === undefined ? [this.#follower] : [this.#follower, this.#orderer]);
  }

  /** Routes, or certificates of other sources, changed. */
  changed(): void {
    this.#selected = undefined;
    this.#orderer?.requiredChanged();
  }

  ordered(): readonly OrderedCertificate[] {
    const view = this.#follower.view();
    return listOrdered(view, this.#selection().required, this.#issuerName(view));
  }

  waiting(nowMs = Date.now()): readonly WaitingName[] {
    const { required, problems } = this.#selection();
    const view = this.#follower.view();
    return [
      ...listWaiting(view, required, this.#issuerName(view), nowMs),
      ...listImpossible(problems, this.#options.services()),
    ];
  }

  problems(nowMs = Date.now()): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const { required, problems } = this.#selection();
    const merged = new Map(problems);
    const view = this.#follower.view();
    for (const [key, found] of certificateProblems(view, required, this.#issuerName(view), nowMs))
      merged.set(key, [...(merged.get(key) ?? []), ...found]);
    return merged;
  }

  /** Requests that the orderer renews or orders a name now. `false`: no route has that name. @throws RegistryError */
  async renew(name: string, by: string): Promise<boolean> {
    const normal = normalName(name);
    if (!this.#selection().required.some((each) => each.name === normal)) return false;
    await this.#leave([{ kind: 'renew', name: normal, by, atMs: Date.now() }]);
    return true;
  }

  /**
   * Takes over certificates that were made elsewhere, to serve and renew them. Returns what becomes of each, in order.
   * @throws RegistryError
   */
  async adopt(pems: readonly string[], by: string, nowMs = Date.now()): Promise<readonly ImportedCertificate[]> {
    const { imported, certificates } = importCertificates(pems, {
      present: this.#follower.view().documents,
      secretsKeys: this.#secretsKeys,
      nowMs,
    });
    await this.#leave(certificates.map((certificate) => ({ kind: 'adopt', certificate, by })));
    return imported;
  }

  #selection(): SelectedNames {
    this.#selected ??= selectNames(this.#options.services(), this.#options.better(), this.#options.rules.selection);
    return this.#selected;
  }

  async #served(view: AcmeView): Promise<ServedView> {
    const { secretsKeys, logger } = this.#options;
    const inOrder = certificatesIn(view).toSorted((a, b) => a.notAfterMs - b.notAfterMs);
    return {
      responses: await this.#responses.of(view.responses),
      certificates: inOrder.flatMap((each) => {
        const pem = openCertificateDocument(each, secretsKeys);
        if (pem === undefined) logger.warn({ names: each.names }, 'a certificate is sealed with another SECRETS_KEY');
        return pem === undefined ? [] : [{ name: each.id, pem }];
      }),
    };
  }

  #issuerName({ documents }: AcmeView): IssuerNames {
    const { rules, ordering } = this.#options;
    return issuerNames(
      ordering?.issuers ?? rules.orderer.issuers,
      (id) => readDocument(accountSchema, documents.get(documentKeys.account(id)))?.directoryUrl,
    );
  }

  #leave(requests: readonly RequestDocument[]): Promise<void> {
    const { store, instance } = this.#options;
    return leaveRequests(store, acmeKeys(instance), requests);
  }
}
