import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import { readRegularFile } from '@swarmgate/runtime';

const mostNamed = 10;

/**
 * The problem of a proxy without `ACME_DIRECTORY` whose disk holds certificates that were ordered or imported: they are
 * not served. Only their names are read, without the parts that ordering needs.
 */
export async function unservedCertificates(
  dataDir: string,
  nowMs = Date.now(),
): Promise<ReadonlyMap<ServiceKey, readonly Problem[]>> {
  const folder = join(dataDir, 'acme', 'certificates');
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.json'));
  const names = new Set<string>();
  for (const file of files)
    for (const name of namesOf(await readRegularFile(join(folder, file)).catch(() => ''), nowMs)) names.add(name);
  if (names.size === 0) return new Map();
  const shown = [...names].sort().slice(0, mostNamed);
  const more = names.size - shown.length;
  const problem: Problem = {
    severity: 'warning',
    reason: 'certificates-unserved',
    message: `ACME_DIRECTORY is not set: stored certificates are not served, those for ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    suggestion:
      'set ACME_DIRECTORY, or put certificates for these hosts into DATA_DIR/certs and remove DATA_DIR/acme/certificates',
  };
  return new Map([['env/acme', [problem]]]);
}

/** None where it is over, or no certificate document. */
function namesOf(text: string, nowMs: number): readonly string[] {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null || !('names' in document && 'notAfterMs' in document))
      return [];
    const { names, notAfterMs } = document;
    if (typeof notAfterMs !== 'number' || notAfterMs <= nowMs || !Array.isArray(names)) return [];
    return names.filter((each) => typeof each === 'string');
  } catch {
    return [];
  }
}
