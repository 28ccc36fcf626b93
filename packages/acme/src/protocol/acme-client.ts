import type { KeyObject } from 'node:crypto';
import { retryAfterMs } from '@swarmgate/runtime';
import { AcmeError, problemOf } from './acme-error.ts';
import { objectionToUrl } from './ca-url.ts';
import { HttpsClient, type HttpsOptions, type HttpsResponse } from './https.ts';
import { bindExternalAccount, keyAuthorization, publicJwk, signJws } from './jws.ts';
import {
  type Authorization,
  type Challenge,
  type Directory,
  type Identifier,
  type Order,
  type Polled,
  type RenewalWindow,
  readAuthorization,
  readChallenge,
  readDirectory,
  readOrder,
  readRenewalWindow,
} from './resources.ts';

export interface AcmeClientOptions extends HttpsOptions {
  readonly directoryUrl: string;
  /** ECDSA P-256. */
  readonly accountKey: KeyObject;
  /** Known from an earlier `createAccount`. */
  readonly accountUrl?: string;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

export interface AccountRequest {
  readonly email?: string;
  readonly externalAccount?: { readonly kid: string; readonly hmac: string };
}

export interface OrderRequest {
  readonly identifiers: readonly Identifier[];
  readonly profile?: string;
  /** ARI identifier of the certificate that this order replaces (RFC 9773, section 5). */
  readonly replaces?: string;
}

/** How often one request is repeated with the nonce of the refusal before the CA counts as unavailable. */
const mostNonceTries = 8;
const mostNonces = 32;
/** A clock that is off by a time zone or two is met by the offset; one that is days off is set wrong, ours or the CA's. */
const mostOffsetMs = 86_400_000;
/** A directory rarely changes, and a CA that moves its URLs responds with 404 on the old ones. */
const directoryLifeMs = 3_600_000;

/**
 * A thin client of RFC 8555 and RFC 9773: one method, one request. It never waits: what to look at again comes with the
 * CA's `Retry-After`, and what was refused is an `AcmeError` with the whole problem document.
 */
export class AcmeClient {
  readonly #options: AcmeClientOptions;
  readonly #https: HttpsClient;
  readonly #now: () => number;
  readonly #nonces: string[] = [];
  #accountUrl: string | undefined;
  #directory: { readonly value: Directory; readonly readAtMs: number } | undefined;
  #clockOffsetMs = 0;
  #refusedOffsetMs: number | undefined;

  constructor(options: AcmeClientOptions) {
    this.#options = options;
    this.#https = new HttpsClient(options);
    this.#now = options.now ?? Date.now;
    this.#accountUrl = options.accountUrl;
  }

  get accountUrl(): string | undefined {
    return this.#accountUrl;
  }

  /**
   * How far the CA's clock is ahead of this machine's, from the `Date` of its last successful response, in milliseconds. At
   * most a day: a CA moves the times of retries and budgets no further.
   */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** The same where it is more than a day, and so not used; `undefined`: it is less. */
  get refusedOffsetMs(): number | undefined {
    return this.#refusedOffsetMs;
  }

  keyAuthorization(token: string): string {
    return keyAuthorization(token, publicJwk(this.#options.accountKey));
  }

  async directory(signal: AbortSignal): Promise<Directory> {
    if (this.#directory !== undefined && this.#now() - this.#directory.readAtMs < directoryLifeMs)
      return this.#directory.value;
    const url = this.#options.directoryUrl;
    const response = await this.#send({ method: 'GET', url }, signal);
    const value = parsed(`GET ${url}`, response, readDirectory);
    this.#directory = { value, readAtMs: this.#now() };
    return value;
  }

  /** Finds the account of this key, or makes it, accepting the CA's terms of service. Returns its URL. */
  async createAccount({ email, externalAccount }: AccountRequest, signal: AbortSignal): Promise<string> {
    const { newAccount } = await this.directory(signal);
    const payload = {
      termsOfServiceAgreed: true,
      ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
      ...(externalAccount === undefined
        ? {}
        : { externalAccountBinding: bindExternalAccount(this.#options.accountKey, externalAccount, newAccount) }),
    };
    const response = await this.#post(newAccount, payload, signal, 'key');
    this.#accountUrl = this.#location(`POST ${newAccount}`, response);
    return this.#accountUrl;
  }

  async newOrder(
    { identifiers, profile, replaces }: OrderRequest,
    signal: AbortSignal,
  ): Promise<Polled<Order> & { readonly url: string }> {
    const { newOrder } = await this.directory(signal);
    const payload = {
      identifiers,
      ...(profile === undefined ? {} : { profile }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    const response = await this.#post(newOrder, payload, signal);
    const url = this.#location(`POST ${newOrder}`, response);
    return { url, ...this.#polled(newOrder, response, readOrder) };
  }

  async order(url: string, signal: AbortSignal): Promise<Polled<Order>> {
    return this.#polled(url, await this.#post(url, undefined, signal), readOrder);
  }

  async authorization(url: string, signal: AbortSignal): Promise<Polled<Authorization>> {
    return this.#polled(url, await this.#post(url, undefined, signal), readAuthorization);
  }

  /** Notifies the CA that a challenge can be validated. */
  async challengeReady(url: string, signal: AbortSignal): Promise<Polled<Challenge>> {
    return this.#polled(url, await this.#post(url, {}, signal), readChallenge);
  }

  /** @param csr DER */
  async finalize(url: string, csr: Buffer, signal: AbortSignal): Promise<Polled<Order>> {
    const response = await this.#post(url, { csr: csr.toString('base64url') }, signal);
    return this.#polled(url, response, readOrder);
  }

  /** The chain in PEM, leaf first. */
  async certificate(url: string, signal: AbortSignal): Promise<string> {
    const response = await this.#post(url, undefined, signal);
    if (!response.body.includes('-----BEGIN CERTIFICATE-----'))
      throw AcmeError.unavailable(`POST ${url}: the response holds no certificate`);
    return response.body;
  }

  /** `undefined` where the CA has no renewal information, or none that can be used. */
  async renewalInfo(certificateId: string, signal: AbortSignal): Promise<Polled<RenewalWindow> | undefined> {
    const { renewalInfo } = await this.directory(signal);
    if (renewalInfo === undefined) return undefined;
    const url = `${renewalInfo}/${certificateId}`;
    const response = await this.#send({ method: 'GET', url }, signal);
    return this.#polled(url, response, readRenewalWindow);
  }

  close(): void {
    this.#https.close();
  }

  #polled<T>(url: string, response: HttpsResponse, read: (json: unknown) => T | undefined): Polled<T> {
    const resource = parsed(url, response, read);
    const wait = this.#retryAfter(response);
    return wait === undefined ? { resource } : { resource, retryAfterMs: wait };
  }

  async #post(
    url: string,
    payload: object | undefined,
    signal: AbortSignal,
    identity: 'account' | 'key' = 'account',
  ): Promise<HttpsResponse> {
    const { accountKey } = this.#options;
    const kid = identity === 'account' ? this.#accountUrl : undefined;
    if (identity === 'account' && kid === undefined) throw new Error('the account is made first');
    for (let tries = 1; ; tries += 1) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce(signal));
      const body = JSON.stringify(signJws(accountKey, { url, nonce, ...(kid === undefined ? {} : { kid }) }, payload));
      try {
        return await this.#send({ method: 'POST', url, body, contentType: 'application/jose+json' }, signal);
      } catch (error) {
        if (!(error instanceof AcmeError) || error.problem?.type !== 'badNonce') throw error;
        if (tries >= mostNonceTries)
          throw AcmeError.unavailable(`POST ${url}: ${mostNonceTries} nonces in a row were refused`);
        // The others are of the same age.
        this.#nonces.splice(0, this.#nonces.length - 1);
      }
    }
  }

  async #newNonce(signal: AbortSignal): Promise<string> {
    const { newNonce } = await this.directory(signal);
    // Its own nonce, not one of the stock: another request may take that before this one goes on.
    const nonce = nonceOf(await this.#send({ method: 'HEAD', url: newNonce }, signal, 'alone'));
    if (nonce === undefined) throw AcmeError.unavailable(`HEAD ${newNonce}: no Replay-Nonce`);
    return nonce;
  }

  /** @param use of the nonce that comes with the response */
  async #send(
    request: Parameters<HttpsClient['send']>[0],
    signal: AbortSignal,
    use: 'stock' | 'alone' = 'stock',
  ): Promise<HttpsResponse> {
    const objection = objectionToUrl(request.url, this.#options.directoryUrl);
    if (objection !== undefined) throw AcmeError.unavailable(`${request.method} ${request.url}: ${objection}`);
    const response = await this.#https.send(request, signal);
    const nonce = nonceOf(response);
    if (use === 'stock' && nonce !== undefined && this.#nonces.length < mostNonces) this.#nonces.push(nonce);
    if (response.status < 300) {
      this.#readClock(response);
      return response;
    }
    const what = `${request.method} ${request.url}: ${response.status}`;
    const problem = problemOf(jsonOf(response.body));
    const wait = this.#retryAfter(response);
    if (problem !== undefined) throw AcmeError.refused(what, { ...problem, status: response.status }, wait);
    throw AcmeError.unavailable(`${what} without a problem document`, wait);
  }

  /** A refusal may come from another server on the way, whose clock is not the CA's. */
  #readClock(response: HttpsResponse): void {
    const sent = Date.parse(response.header('date') ?? '');
    if (Number.isNaN(sent)) return;
    const offset = clockOffset(sent - this.#now());
    const isUsed = Math.abs(offset) <= mostOffsetMs;
    this.#refusedOffsetMs = isUsed ? undefined : offset;
    if (isUsed) this.#clockOffsetMs = offset;
  }

  #location(what: string, response: HttpsResponse): string {
    const url = response.header('location');
    const objection = url === undefined ? 'absent' : objectionToUrl(url, this.#options.directoryUrl);
    if (url === undefined || objection !== undefined) throw AcmeError.unavailable(`${what}: Location: ${objection}`);
    return url;
  }

  #retryAfter(response: HttpsResponse): number | undefined {
    return retryAfterMs(response.header('retry-after'), response.header('date'), this.#now());
  }
}

function nonceOf(response: HttpsResponse): string | undefined {
  const nonce = response.header('replay-nonce');
  return nonce !== undefined && /^[A-Za-z0-9_-]+$/.test(nonce) ? nonce : undefined;
}

/** `Date` counts whole seconds, and the response took a while: a difference of a few seconds is not significant. */
function clockOffset(differenceMs: number): number {
  return Math.abs(differenceMs) < 5_000 ? 0 : differenceMs;
}

function parsed<T>(what: string, response: HttpsResponse, read: (json: unknown) => T | undefined): T {
  const value = read(jsonOf(response.body));
  if (value === undefined) throw AcmeError.unavailable(`${what}: the response is not what RFC 8555 describes`);
  return value;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
