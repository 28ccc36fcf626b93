import type { CertificatesResponse } from '@swarmgate/proxy';
import { UsageError } from '@swarmgate/runtime/errors';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { age, table } from '../output/table.ts';
import { importCertificates } from './import-certificates.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

interface ChangeResponse {
  readonly Message: string;
}

/** Certificates: what is served, what waits and why; renewing one now; taking over those of another program. */
export function addCertificatesCommand(program: Command, io: CommandIo): void {
  operatorCommand(
    program,
    'certificates [action] [argument]',
    'what is served, until when, and which names wait for a certificate (exit code 1 if any failed); renew, import',
    [
      'swarmgate certificates',
      'swarmgate certificates --json',
      'swarmgate certificates renew shop.example.com',
      'swarmgate certificates import /letsencrypt/acme.json',
      'swarmgate certificates import /etc/letsencrypt',
    ],
  ).action(async (action: string | undefined, argument: string | undefined, options: OperatorOptions) => {
    const client = await clientFor(options, io);
    if (action === undefined) {
      const response = await client.get('/v1/certificates');
      if (!printResponse<CertificatesResponse>(response, options, io, describeCertificates)) return;
      const { waiting } = response.body as CertificatesResponse;
      if (waiting.some(({ state }) => state === 'failed')) io.exit(exitCodes.refused);
      return;
    }
    if (action !== 'renew' && action !== 'import')
      throw new UsageError('action-unknown', `${JSON.stringify(action)} is neither renew nor import`);
    if (argument === undefined)
      throw new UsageError(
        'argument-missing',
        action === 'renew'
          ? 'name the host: swarmgate certificates renew HOST'
          : 'name a file: swarmgate certificates import acme.json',
      );
    if (action === 'import') return importCertificates(argument, client, options, io);
    const response = await client.post('/v1/certificates/renew', { name: argument });
    printResponse<ChangeResponse>(response, options, io, ({ Message }) => Message);
  });
}

export function describeCertificates(
  { ordering, certificates, waiting }: CertificatesResponse,
  nowMs = Date.now(),
): string {
  const until = (time: string) => {
    const leftMs = Date.parse(time) - nowMs;
    return leftMs > 0 ? `in ${age(leftMs)}` : `${age(-leftMs)} ago`;
  };
  const rows = certificates.map(({ hosts, from, issuer, expiresAt, renewAt, renewFrom }) => [
    shortened(hosts),
    issuer === undefined ? from : `${from} (${issuer})`,
    `${expiresAt.slice(0, 10)}, ${until(expiresAt)}`,
    renewAt === undefined ? '–' : `${until(renewAt)} (${renewFrom})`,
  ]);
  const parts = [table(['HOSTS', 'FROM', 'ENDS', 'RENEWED'], rows)];
  if (waiting.length > 0) {
    const why = waiting.map(({ name, state, failures, nextAttempt, type = '', detail = '' }) => [
      name,
      state === 'failed' ? `failed ${failures} ${failures === 1 ? 'time' : 'times'}` : state,
      nextAttempt === undefined ? '–' : until(nextAttempt),
      detail === '' ? type : `${type}: ${detail}`,
    ]);
    parts.push(table(['NAME', 'STATE', 'NEXT TRY', 'WHY'], why), 'swarmgate problems lists the remedies.');
  }
  if (!ordering) parts.push('Certificates are not ordered: ACME_DIRECTORY is not set.');
  return parts.join('\n\n');
}

function shortened(hosts: readonly string[]): string {
  return hosts.length > 3 ? `${hosts.slice(0, 2).join(', ')} and ${hosts.length - 2} more` : hosts.join(', ');
}
