import aprMd5 from 'apache-md5';
import { compareSync } from 'bcryptjs';
import { verify } from 'unixcrypt';

// Its types promise an ES default export; what node gives for a CommonJS module is the function itself.
const apacheHash = aprMd5 as unknown as (password: string, hash: string) => string;

/**
 * Whether a password fits a crypt(3) hash: `$5$`, `$6$`, bcrypt, `$apr1$`. Takes milliseconds to a second of CPU, so it
 * runs in a worker thread only. `false` for hashes with an excessive cost.
 */
export function passwordFits(password: string, hash: string): boolean {
  if (/^\$[56]\$/.test(hash)) return roundsOf(hash) <= mostRounds && verify(password, hash);
  if (/^\$2[aby]\$/.test(hash)) return Number(hash.slice(4, 6)) <= mostBcryptCost && compareSync(password, hash);
  if (hash.startsWith('$apr1$')) return sameText(apacheHash(password, hash), hash);
  return false;
}

const mostRounds = 500_000;
const mostBcryptCost = 14;

function roundsOf(hash: string): number {
  return Number(/^\$[56]\$rounds=(\d+)\$/.exec(hash)?.[1] ?? 5000);
}

/** In time that does not depend on where two texts differ. */
function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
