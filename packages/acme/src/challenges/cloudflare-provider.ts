import { isRecord } from '../protocol/acme-error.ts';
import { type DnsProvider, DnsProviderError } from './dns-provider.ts';
import { type JsonCall, sendJson } from './send-json.ts';

export interface CloudflareOptions {
  /** API token that may read zones and edit DNS. */
  readonly token: string;
  /** Default Cloudflare's own API, version 4. */
  readonly apiUrl?: string;
}

/** Records in zones at Cloudflare (developers.cloudflare.com/api, DNS records). */
export function cloudflareProvider({ token, apiUrl = defaultApi }: CloudflareOptions): DnsProvider {
  const headers = { authorization: `Bearer ${token}` };
  const call = async (method: JsonCall['method'], path: string, signal: AbortSignal, body?: object) => {
    const url = `${apiUrl}${path}`;
    const response = await sendJson({ method, url, headers, ...(body === undefined ? {} : { body }) }, signal);
    if (isRecord(response.json) && response.json.success === true) return response.json.result;
    throw new CloudflareRefusal(
      `${method} ${url}: ${response.status} ${errorsOf(response.json)}`,
      codesOf(response.json),
    );
  };
  const zoneOf = async (name: string, signal: AbortSignal): Promise<string> => {
    const labels = name.split('.');
    for (let at = 1; at < labels.length - 1; at += 1) {
      const zone = labels.slice(at).join('.');
      const found = await call('GET', `/zones?name=${encodeURIComponent(zone)}`, signal);
      const id = Array.isArray(found) && isRecord(found[0]) ? found[0].id : undefined;
      if (typeof id === 'string') return id;
    }
    throw DnsProviderError.of(`Cloudflare: the token sees no zone of ${name}`);
  };
  return {
    description: 'Cloudflare',
    async present({ name, value }, signal) {
      const zone = await zoneOf(name, signal);
      const record = { type: 'TXT', name, content: `"${value}"`, ttl: 60 };
      try {
        await call('POST', `/zones/${zone}/dns_records`, signal, record);
      } catch (error) {
        // 81058: an identical record exists, left by a replica that stopped in between.
        if (!(error instanceof CloudflareRefusal) || !error.codes.includes(81_058)) throw error;
      }
    },
    async cleanup({ name, value }, signal) {
      const zone = await zoneOf(name, signal);
      const found = await call('GET', `/zones/${zone}/dns_records?type=TXT&name=${encodeURIComponent(name)}`, signal);
      for (const each of Array.isArray(found) ? found.filter(isRecord) : []) {
        if (String(each.content).replaceAll('"', '') !== value || typeof each.id !== 'string') continue;
        await call('DELETE', `/zones/${zone}/dns_records/${each.id}`, signal);
      }
    },
  };
}

const defaultApi = 'https://api.cloudflare.com/client/v4';

class CloudflareRefusal extends DnsProviderError {
  readonly codes: readonly number[];

  constructor(message: string, codes: readonly number[]) {
    super('dns-provider', message);
    this.codes = codes;
  }
}

function codesOf(json: unknown): number[] {
  return errorList(json).map(({ code }) => Number(code));
}

function errorsOf(json: unknown): string {
  return errorList(json)
    .map(({ code, message }) => `${code}: ${message}`)
    .join('; ')
    .slice(0, 300);
}

function errorList(json: unknown): Readonly<Record<string, unknown>>[] {
  return isRecord(json) && Array.isArray(json.errors) ? json.errors.filter(isRecord) : [];
}
