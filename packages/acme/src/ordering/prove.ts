import type { Logger } from '@swarmgate/runtime';
import { DnsProviderError, isDnsError, type TxtRecord } from '../challenges/dns-provider.ts';
import type { DnsProviders } from '../challenges/dns-providers.ts';
import { aliasOf, serversWithout } from '../challenges/dns-visibility.ts';
import type { ChallengeKind } from '../names/select-names.ts';
import type { Proof } from '../orders/next-step.ts';
import { dnsValue } from '../protocol/jws.ts';
import type { HeadMark } from '../storage/acme-head.ts';
import type { ChallengeResponse } from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';

export interface ProverOptions {
  readonly writer: FencedWriter;
  readonly dns: DnsProviders;
  /** `ACME_DNS_RESOLVERS`; empty: those of the system. */
  readonly resolvers: readonly string[];
  /** Resolves when every live replica serves the mark, or after a time without those that do not. */
  readonly barrier: (mark: HeadMark, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

export interface ProofRequest {
  readonly challenge: ChallengeKind;
  readonly proofs: readonly Proof[];
  readonly keyAuthorization: (token: string) => string;
}

/** Puts responses where a CA looks for them, and takes them away again. */
export class Prover {
  readonly #options: ProverOptions;

  constructor(options: ProverOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the responses can be seen: by every live replica, or by the zone's authoritative servers.
   * @throws DnsProviderError, DnsLookupError
   */
  async publish(request: ProofRequest, signal: AbortSignal): Promise<void> {
    if (request.challenge === 'dns-01') return this.#publishRecords(request, signal);
    const kind = request.challenge;
    const addResponses = request.proofs.map(({ name, token }): ChallengeResponse => {
      return { kind, name, token, keyAuthorization: request.keyAuthorization(token) };
    });
    const mark = await this.#options.writer.write({ addResponses });
    await this.#options.barrier(mark, signal);
  }

  /** The responses were taken from the board with the order's last write; records of a zone are removed here. */
  async takeBack(request: ProofRequest, signal: AbortSignal): Promise<void> {
    if (request.challenge !== 'dns-01') return;
    for (const proof of request.proofs) {
      try {
        const { of, ...record } = await this.#recordOf(proof, request, signal);
        await this.#providerOf(of).cleanup(record, signal);
      } catch (error) {
        if (!isDnsError(error)) throw error;
        this.#options.logger.warn({ name: proof.name, err: error.message }, 'a TXT record could not be removed');
      }
    }
  }

  async #publishRecords(request: ProofRequest, signal: AbortSignal): Promise<void> {
    const { resolvers, logger } = this.#options;
    const records = await Promise.all(request.proofs.map((proof) => this.#recordOf(proof, request, signal)));
    for (const { of, ...record } of records) {
      const provider = this.#providerOf(of);
      logger.debug({ name: record.name, provider: provider.description }, 'a TXT record is written');
      await provider.present(record, signal);
    }
    await Promise.all(
      records.map(async ({ of, ...record }) => {
        const servers = this.#providerOf(of).servers ?? [];
        const late = await serversWithout(record, { resolvers, servers }, signal);
        if (late.length > 0)
          throw DnsProviderError.of(`${late.join(', ')} did not serve the TXT record ${record.name} within 2 minutes`);
      }),
    );
  }

  async #recordOf(
    { name, token }: Proof,
    { keyAuthorization }: ProofRequest,
    signal: AbortSignal,
  ): Promise<TxtRecord & { readonly of: string }> {
    const record = await aliasOf(`_acme-challenge.${name}`, this.#options.resolvers, signal);
    return { of: name, name: record, value: dnsValue(keyAuthorization(token)) };
  }

  #providerOf(name: string) {
    const provider = this.#options.dns.for(name);
    if (provider === undefined) throw DnsProviderError.of(`no DNS provider is configured for ${name}`);
    return provider;
  }
}
