import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Passwords as the registry holds them: scrypt (RFC 7914) in PHC notation,
 * `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`, base64 without padding, 16 bytes of salt and 32 of hash.
 */
const cost = { ln: 14, r: 8, p: 1 } as const;
const hashBytes = 32;

// A hand-edited hash must not buy minutes of CPU: 2^17 at r 8 is 128 MB and some 300 ms.
const most = { ln: 17, r: 16, p: 4, memoryBytes: 160 * 1024 * 1024 } as const;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, hashBytes, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Runs on the thread pool. `false` for whatever is no such hash. Compares in constant time. */
export async function verifyHashedPassword(password: string, hash: string): Promise<boolean> {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([+/0-9A-Za-z]{16,64})\$([+/0-9A-Za-z]{40,90})$/.exec(
    hash,
  );
  if (match === null) return false;
  const [ln = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  if (ln < 1 || ln > most.ln || r < 1 || r > most.r || p < 1 || p > most.p) return false;
  if (128 * 2 ** ln * r > most.memoryBytes) return false;
  const expected = Buffer.from(match[5] ?? '', 'base64');
  const derived = await derive(password, Buffer.from(match[4] ?? '', 'base64'), expected.length, { ln, r, p });
  return timingSafeEqual(derived, expected);
}

function derive(
  password: string,
  salt: Buffer,
  bytes: number,
  { ln, r, p }: { readonly ln: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 2 * 128 * 2 ** ln * r * p + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
