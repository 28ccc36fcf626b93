/** The process that is called: each has its own port and its own variable for another address. */
export type Addressee = 'proxy' | 'listener';

/** Variables of this command that name the address of the process. */
export const urlVariables = { proxy: 'SWARMGATE_URL', listener: 'LISTENER_URL' } as const;

export interface RefusedCall {
  /** Address that responded: scheme, host and port. */
  readonly from: string;
  readonly to: Addressee;
  readonly status: number;
  /** `X-Swarmgate-Reason`, where the response has it. */
  readonly reason: string | null;
  /** Whether the call brought `ADMIN_TOKEN`. */
  readonly hasToken: boolean;
}

/**
 * What to set for this command where the process takes none of its calls: the process itself cannot know the variables of its
 * callers. `undefined`: what is wrong is in the call, and the response names it.
 */
export function remedyFor({ from, to, status, reason, hasToken }: RefusedCall): string | undefined {
  if (reason === 'tls-needed')
    return `set ${urlVariables[to]}=${from.replace(/^http:/, 'https:')} or --url, and SWARMGATE_CACERT=FILE for a certificate of your own authority`;
  if (status !== 401) return undefined;
  const set = `set ADMIN_TOKEN in the environment of this command to the token of the ${to} (docker/create-secrets.sh printed it), or ADMIN_TOKEN_FILE to a file that holds it`;
  return hasToken ? `the ADMIN_TOKEN of this command is not that of ${from}: ${set}` : set;
}

/** The same where no response came: the port takes no TLS. */
export function remedyWithoutTls(from: string, to: Addressee): string {
  return `no TLS is spoken at ${from}: set ${urlVariables[to]}=${from.replace(/^https:/, 'http:')} or --url`;
}
