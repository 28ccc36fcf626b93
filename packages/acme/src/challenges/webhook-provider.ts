import { type DnsProvider, DnsProviderError } from './dns-provider.ts';
import { sendJson } from './send-json.ts';

/**
 * Records through an HTTP service of the operator's own, by the contract of lego's `httpreq` provider
 * (go-acme.github.io/lego/dns/httpreq): POST `<url>/present` and `<url>/cleanup` with `{fqdn, value}`.
 * @param url user and password in it are sent as basic authentication
 */
export function webhookProvider(url: string): DnsProvider {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  const base = target.href.replace(/\/$/, '');
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers: Readonly<Record<string, string>> = username === '' ? {} : { authorization: `Basic ${basic}` };
  const call = async (path: string, name: string, value: string, signal: AbortSignal) => {
    const response = await sendJson(
      { method: 'POST', url: `${base}/${path}`, headers, body: { fqdn: `${name}.`, value } },
      signal,
    );
    if (response.status >= 300)
      throw DnsProviderError.of(`POST ${base}/${path} for ${name}: ${response.status} ${response.text.slice(0, 300)}`);
  };
  return {
    description: `webhook ${base}`,
    present: ({ name, value }, signal) => call('present', name, value, signal),
    cleanup: ({ name, value }, signal) => call('cleanup', name, value, signal),
  };
}
