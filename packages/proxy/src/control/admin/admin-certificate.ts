import { type Logger, messageOf, pause, type Running, readRegularFile, UsageError } from '@swarmgate/runtime';
import { type Certificate, readCertificate } from '../../server/tls/certificate.ts';

/** The certificate that the admin port serves. */
export interface AdminCertificate extends Running {
  current(): Certificate;
  /** Called with each one that takes the place of the last. */
  onChange(follower: (certificate: Certificate) => void): void;
}

const lookEveryMs = 5_000;

/**
 * Reads `ADMIN_TLS`: the path of a PEM file with certificate, chain and key, which is read again when it changes, or such a
 * PEM itself, as a secret `dfp_admin_tls` gives it.
 * @throws UsageError `admin-tls-unusable`
 */
export async function followAdminCertificate(
  setting: string,
  logger: Logger,
  everyMs = lookEveryMs,
): Promise<AdminCertificate> {
  const isContent = setting.includes('-----BEGIN ');
  const name = isContent ? 'the PEM of ADMIN_TLS' : setting;
  const readAgain = async () => {
    const pem = isContent ? setting : await readRegularFile(setting);
    return { pem, read: readCertificate(name, pem, undefined) };
  };
  const first = await readAgain().catch((cause: unknown) => {
    throw new UsageError('admin-tls-unusable', `ADMIN_TLS=${setting}: cannot be read (${messageOf(cause)})`, { cause });
  });
  if (!first.read.ok) throw new UsageError('admin-tls-unusable', `ADMIN_TLS: ${first.read.reason}`);
  let { certificate } = first.read;
  let seen = first.pem;
  const followers = new Set<(certificate: Certificate) => void>();
  const ending = new AbortController();
  const look = async () => {
    try {
      const { pem, read } = await readAgain();
      if (pem === seen) return;
      seen = pem;
      // A half-written renewal keeps the old certificate in service.
      if (!read.ok) {
        logger.warn({ file: setting }, `${read.reason}: the admin port keeps its certificate`);
        return;
      }
      certificate = read.certificate;
      for (const follower of followers) follower(certificate);
      logger.info(
        { file: setting, expiresAt: new Date(certificate.expiresMs) },
        'the admin port has a new certificate',
      );
    } catch (error) {
      logger.warn({ file: setting, err: error }, 'ADMIN_TLS cannot be read: the admin port keeps its certificate');
    }
  };
  const following = (async () => {
    while (!isContent && (await pause(everyMs, ending.signal))) await look();
  })();
  return {
    current: () => certificate,
    onChange(follower) {
      followers.add(follower);
    },
    async stop() {
      ending.abort();
      await following;
    },
  };
}
