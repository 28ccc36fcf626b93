/**
 * Salted hashes that a definition may carry: crypt(3) SHA-256 `$5$` and SHA-512 `$6$`, bcrypt `$2a$ $2b$ $2y$`,
 * Apache's `$apr1$`, and our own `$scrypt$` (see `seal-passwords.ts`).
 */
const formats = [
  /^\$[56]\$(rounds=\d{1,9}\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{43,86}$/,
  /^\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}$/,
  /^\$apr1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}$/,
  /^\$scrypt\$ln=\d{1,2},r=\d{1,2},p=\d{1,2}\$[+/0-9A-Za-z]{16,64}\$[+/0-9A-Za-z]{40,90}$/,
];

export function isPasswordHash(text: string): boolean {
  return formats.some((format) => format.test(text));
}
