import type { ImportResponse } from '@swarmgate/proxy';
import type { AdminClient } from '../admin-client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { type OperatorOptions, printResponse } from './operator-command.ts';
import { type FoundCertificate, readCertificates } from './read-certificates.ts';

type Imported = ImportResponse['certificates'][number];

/**
 * Sends those that were found with their keys, and prints what became of each, those without a key too. Exit code 1 where
 * one was refused. @throws UsageError
 */
export async function importCertificates(
  path: string,
  client: Pick<AdminClient, 'post'>,
  options: OperatorOptions,
  io: CommandIo,
): Promise<void> {
  const found = readCertificates(path);
  const certificates = found.flatMap((each) => ('pem' in each ? [each.pem] : []));
  let imported: readonly Imported[] = [];
  if (certificates.length > 0) {
    const response = await client.post('/v1/certificates/import', {}, { certificates });
    const known = importedOf(response.body);
    if (known === undefined) {
      printResponse<ImportResponse>(response, options, io, ({ Message }) => Message);
      return;
    }
    imported = known;
  }
  const merged = withNames(found, imported);
  io.out(options.json === true ? JSON.stringify({ certificates: merged }, null, 2) : describeImport(merged));
  if (merged.some(({ state }) => state === 'refused')) io.exit(exitCodes.refused);
}

/** In the order of the file. What the proxy could read no name of gets the name that the file gives it. */
export function withNames(found: readonly FoundCertificate[], imported: readonly Imported[]): readonly Imported[] {
  const responses = imported.values();
  return found.map((each): Imported => {
    if (!('pem' in each)) return { names: [each.from], state: 'refused', why: each.why };
    const response = responses.next().value;
    if (response === undefined)
      return { names: [each.from], state: 'refused', why: 'the proxy’s response does not name it' };
    return response.names.length > 0 ? response : { ...response, names: [each.from] };
  });
}

export function describeImport(imported: readonly Imported[]): string {
  const lines = imported.map(
    ({ names, state, why }) => `${names.join(', ')}: ${state}${why === undefined ? '' : `: ${why}`}`,
  );
  const counts = (['taken over', 'kept', 'expired', 'refused'] as const).flatMap((state) => {
    const count = imported.filter((each) => each.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const total = `${imported.length} ${imported.length === 1 ? 'certificate' : 'certificates'}`;
  return [...lines, `${total}: ${counts.join(', ')}`].join('\n');
}

function importedOf(body: unknown): readonly Imported[] | undefined {
  return typeof body === 'object' && body !== null && 'certificates' in body && Array.isArray(body.certificates)
    ? body.certificates
    : undefined;
}
