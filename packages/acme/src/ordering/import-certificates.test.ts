import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { certificateIdOf, documentKeys } from '../storage/acme-keys.ts';
import { importCertificates } from './import-certificates.ts';
import { certificateDocument, text } from './order-documents.ts';

const day = 86_400_000;
const nowMs = Date.parse('2026-11-28T00:00:00Z');
const secretsKeys = [{ id: '00000001', bytes: randomBytes(32) }] as const;

interface Made {
  readonly cert: string;
  readonly key: string;
}

async function made(host: string, days = 60, fromDay = -1, ca?: Made): Promise<Made> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs + fromDay * day),
    notAfterDate: new Date(nowMs + days * day),
    extensions: [
      { name: 'basicConstraints', cA: host === 'ca' },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] },
    ],
    ...(ca === undefined ? {} : { ca }),
  });
  return { cert, key };
}

const pem = ({ cert, key }: Made) => `${cert}\n${key}`;
const bring = (pems: readonly string[], present: ReadonlyMap<string, string> = new Map()) =>
  importCertificates(pems, { present, secretsKeys, nowMs });

describe('an import of certificates', () => {
  let good: Made;
  let other: Made;
  before(async () => {
    good = await made('a.example.com');
    other = await made('b.example.com');
  });

  it('takes over what can be served, leaf first in whatever order it comes', async () => {
    const ca = await made('ca');
    const issued = await made('c.example.com', 60, -1, ca);
    const { imported, certificates } = bring([pem(good), `${ca.cert}\n${issued.key}\n${issued.cert}`]);
    expect(imported).to.deep.equal([
      { names: ['a.example.com'], state: 'taken over' },
      { names: ['c.example.com'], state: 'taken over' },
    ]);
    expect(certificates.map(({ names }) => names.join())).to.have.members(['a.example.com', 'c.example.com']);
    const [chained] = certificates.filter(({ names }) => names.includes('c.example.com'));
    expect(chained?.chain.indexOf(issued.cert.trim().split('\n')[1] ?? '-')).to.be.lessThan(
      chained?.chain.indexOf(ca.cert.trim().split('\n')[1] ?? '') ?? 0,
    );
  });

  it('names what is wrong with each that cannot be, and goes on with the others', async () => {
    const cases = [
      [pem({ cert: good.cert, key: other.key }), 'refused', /belongs to another certificate: give the key/],
      [`${good.cert}\n${other.cert}\n${good.key}`, 'refused', /no certificate of the chain issued it/],
      [good.cert, 'refused', /certificate and its private key are needed/],
      [`${good.cert}\n${good.key.replaceAll(/(.*PRIVATE KEY.*\n)M/g, '$1X')}`, 'refused', /private key is damaged/],
      [
        `${good.cert}\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----`,
        'refused',
        /encrypted: decrypt it first/,
      ],
      [pem(await made('a.example.com', 60, 3)), 'refused', /begins at 2026-12-01/],
      [pem(await made('a.example.com', -1, -90)), 'expired', /ended at 2026-11-27/],
    ] as const;
    const { imported, certificates } = bring([...cases.map(([text]) => text), pem(other)]);
    for (const [at, [, state, why]] of cases.entries()) {
      expect(imported[at]?.state, String(why)).to.equal(state);
      expect(imported[at]?.why).to.match(why);
      expect(imported[at]?.names).to.deep.equal(['a.example.com']);
    }
    expect(imported.at(-1)).to.deep.equal({ names: ['b.example.com'], state: 'taken over' });
    expect(certificates).to.have.length(1);
    expect(JSON.stringify(imported)).to.not.include(good.key.split('\n')[1]);
  });

  it('refuses what is no certificate at all, without a name', () => {
    const { imported } = bring(['hello']);
    expect(imported).to.have.length(1);
    expect(imported[0]).to.include({ state: 'refused' });
    expect(imported[0]?.names).to.deep.equal([]);
  });

  describe('beside a certificate of the same names', () => {
    const key = documentKeys.certificate(certificateIdOf(['a.example.com']));
    const stored = ({ cert, key: privateKey }: Made, keys: Parameters<typeof certificateDocument>[0]['keys']) =>
      new Map([
        [
          key,
          text(
            certificateDocument({
              names: ['a.example.com'],
              chain: cert,
              privateKey,
              issuer: 'x',
              issuedAtMs: 0,
              keys,
            }),
          ),
        ],
      ]);
    const foreign = [{ id: '00000002', bytes: randomBytes(32) }] as const;

    it('keeps a later one that is served, and says so', async () => {
      const later = await made('a.example.com', 80);
      expect(bring([pem(good)], stored(later, secretsKeys)).imported).to.deep.equal([
        { names: ['a.example.com'], state: 'kept', why: 'a later one is served' },
      ]);
      expect(bring([pem(good)], stored(good, secretsKeys)).imported[0]?.why).to.equal('it is served already');
      expect(bring([pem(later)], stored(good, secretsKeys)).imported[0]?.state).to.equal('taken over');
    });

    it('takes the later one of the import, in whatever order', async () => {
      const later = await made('a.example.com', 80);
      for (const [pems, states] of [
        [
          [good, later],
          ['kept', 'taken over'],
        ],
        [
          [later, good],
          ['taken over', 'kept'],
        ],
      ] as const) {
        const { imported, certificates } = bring(pems.map(pem));
        expect(imported.map(({ state }) => state)).to.deep.equal(states);
        expect(certificates).to.have.length(1);
      }
    });

    it('is not kept from serving by one that cannot be served, whatever its end', async () => {
      const later = await made('a.example.com', 80);
      const unusable = [
        stored({ cert: later.cert, key: other.key }, secretsKeys),
        stored(later, foreign),
        new Map([[key, 'spoilt']]),
      ];
      for (const present of unusable) expect(bring([pem(good)], present).imported[0]?.state).to.equal('taken over');
    });
  });
});
