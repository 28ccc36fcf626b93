/** CAs that `ACME_DIRECTORY` takes by name. */
export const knownDirectories = {
  letsencrypt: { url: 'https://acme-v02.api.letsencrypt.org/directory', externalAccount: 'none' },
  'letsencrypt-staging': { url: 'https://acme-staging-v02.api.letsencrypt.org/directory', externalAccount: 'none' },
  zerossl: { url: 'https://acme.zerossl.com/v2/DV90', externalAccount: 'needed' },
  google: { url: 'https://dv.acme-v02.api.pki.goog/directory', externalAccount: 'needed' },
} as const;

export type KnownDirectory = keyof typeof knownDirectories;

/** What a CA gave its customer to bind accounts with (RFC 8555, section 7.3.4). */
export interface ExternalAccount {
  readonly kid: string;
  readonly hmac: string;
}

export interface ExternalAccountSettings {
  readonly acmeDirectory: readonly string[] | undefined;
  readonly acmeEabKid: string | undefined;
  readonly acmeEabHmac: string | undefined;
}

export interface ExternalAccounts {
  /** By the entry of `ACME_DIRECTORY`. */
  readonly accounts: ReadonlyMap<string, ExternalAccount>;
  /** Entries that lack a setting, each with the settings that it lacks. */
  readonly missing: readonly { readonly entry: string; readonly settings: readonly string[] }[];
}

/**
 * `ACME_EAB_KID` and `ACME_EAB_HMAC` hold one value, or where several issuers need one `issuer=value` for each, the issuer
 * as `ACME_DIRECTORY` has it or by its known name.
 */
export function externalAccounts(settings: ExternalAccountSettings): ExternalAccounts {
  const entries = settings.acmeDirectory ?? [];
  const kids = byEntry(settings.acmeEabKid, entries);
  const hmacs = byEntry(settings.acmeEabHmac, entries);
  const accounts = new Map<string, ExternalAccount>();
  const missing: { entry: string; settings: string[] }[] = [];
  for (const entry of entries) {
    const use = useOf(entry);
    // A value for all is not meant for a CA that binds no accounts.
    if (use === 'none') continue;
    const [kid, hmac] = [kids(entry), hmacs(entry)];
    if (kid !== undefined && hmac !== undefined) accounts.set(entry, { kid, hmac });
    else if (use === 'needed' || kid !== hmac)
      missing.push({
        entry,
        settings: [...(kid === undefined ? ['ACME_EAB_KID'] : []), ...(hmac === undefined ? ['ACME_EAB_HMAC'] : [])],
      });
  }
  return { accounts, missing };
}

function knownNameOf(entry: string): KnownDirectory | undefined {
  const names = Object.keys(knownDirectories) as KnownDirectory[];
  return names.find((name) => name === entry || knownDirectories[name].url === entry);
}

function useOf(entry: string): 'none' | 'needed' | 'optional' {
  const known = knownNameOf(entry);
  return known === undefined ? 'optional' : knownDirectories[known].externalAccount;
}

function byEntry(text: string | undefined, entries: readonly string[]): (entry: string) => string | undefined {
  const named = new Map<string, string>();
  let general: string | undefined;
  for (const part of (text ?? '').split(',').map((each) => each.trim())) {
    if (part === '') continue;
    // A key in base64 may end with `=`, so only a name that is an issuer's counts as one.
    const found = entries
      .flatMap((entry) => [entry, knownNameOf(entry) ?? entry].map((name) => ({ entry, name })))
      .find(({ name }) => part.startsWith(`${name}=`));
    if (found === undefined) general = part;
    else named.set(found.entry, part.slice(found.name.length + 1));
  }
  return (entry) => named.get(entry) ?? general;
}
