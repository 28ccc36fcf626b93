/** What of an owner's texts may be shown: credentials stand in headers, parameters and options, and before hosts of URLs. */

/** Of headers, parameters and options whose values can be credentials: `X-Auth` as well as `Authorization`. */
const credentialName = /auth|cookie|token|secret|passw|key|session|credential|signature|jwt|bearer/i;

const userBeforeHost = /:\/\/[^/?#\s]*@/;

/** Whether the value of a header, a parameter or an option of this name is left out of what is shown. */
export function isCredentialName(name: string): boolean {
  return credentialName.test(name);
}

/** Whether a text that names headers or options, in whatever syntax, may hold a credential. */
export function mayHoldCredential(text: string): boolean {
  return credentialName.test(text) || userBeforeHost.test(text);
}

/** Of a rule, which names hosts and paths too: those tell nothing. */
export function ruleMayHoldCredential(rule: string): boolean {
  return looksLikeCredential(rule) || (/header|query/i.test(rule) && mayHoldCredential(rule));
}

/** A text of any other label, whose names are not known to be those of headers. */
export function looksLikeCredential(text: string): boolean {
  return /authorization|cookie|token|secret|password|api-?key/i.test(text) || userBeforeHost.test(text);
}

/** Texts about a value, in which URLs lose user and password. */
export function withoutUsers(text: string): string {
  return text.replace(/:\/\/[^/?#\s]*@/g, '://…@');
}

/** A message about a value that is not shown: without what it quotes of it. */
export function withoutQuotes(message: string): string {
  return message.replace(/".*"|`.*`/gs, '…');
}
