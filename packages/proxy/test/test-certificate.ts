import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one, as Docker Flow takes it. */
  readonly pem: string;
}

/** A certificate for these names and addresses, by itself or by an authority. */
export async function testCertificate(
  names: readonly string[],
  options: { readonly ca?: TestCertificate; readonly expires?: Date; readonly isAuthority?: true } = {},
): Promise<TestCertificate> {
  const [commonName = 'test'] = names;
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: options.isAuthority === true },
      {
        name: 'subjectAltName',
        altNames: names.map((value) =>
          isIP(value) === 0 ? { type: 2 as const, value } : { type: 7 as const, ip: value },
        ),
      },
    ],
    ...(options.ca === undefined ? {} : { ca: { key: options.ca.key, cert: options.ca.cert } }),
    ...(options.expires === undefined
      ? {}
      : { notAfterDate: options.expires, notBeforeDate: new Date(options.expires.getTime() - 86_400_000) }),
  });
  return { cert: made.cert, key: made.private, pem: `${made.private}\n${made.cert}\n` };
}
