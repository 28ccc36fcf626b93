/** A client repeats any method but GET as it was only for 307 and 308 (RFC 9110, section 15.4). */
export function redirectStatus(method: string, permanent: boolean | undefined): number {
  if (method === 'GET') return permanent === true ? 301 : 302;
  return permanent === true ? 308 : 307;
}
