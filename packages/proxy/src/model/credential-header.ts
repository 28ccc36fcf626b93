/** Headers whose values can be credentials: `X-Auth` as well as `Authorization`. */
const credentialHeader = /auth|cookie|token|secret|passw|key|session|credential|signature|jwt|bearer/i;

/** Whether the value of a header is left out of what the REST shows. */
export function isCredentialHeader(name: string): boolean {
  return credentialHeader.test(name);
}
