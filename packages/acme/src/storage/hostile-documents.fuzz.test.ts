import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, type SecretsKey, secretsKeyOf } from '@swarmgate/registry';
import { hostileRuns, hostileTexts, mutationsOf, pathsOf, textOf } from '@swarmgate/registry/test/hostile-documents';
import { silentLogger } from '@swarmgate/runtime';
import { fuzzRuns, until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { UsableCertificates } from '../ordering/usable-certificates.ts';
import { admit } from '../orders/budget.ts';
import { issuerNames, issuerOf } from '../orders/issuers.ts';
import { planOrders } from '../orders/plan-orders.ts';
import { certificatesIn, listOrdered, listWaiting, namesIn } from '../report/certificate-listing.ts';
import { certificateProblems } from '../report/certificate-problems.ts';
import { AcmeFollower, type AcmeView } from './acme-follower.ts';
import { acmeKeys } from './acme-keys.ts';
import { documentFolder } from './document-folder.ts';
import * as documents from './documents.ts';

const seed = 20_261_129;
const runs = hostileRuns.certificates;
const name = 'a.example.com';
const issuer = issuerOf('letsencrypt');

const certificate = {
  version: 1,
  id: name,
  names: [name, '*.b.example.com'],
  chain: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  sealedKey: 'k1.AAAA.AAAA.AAAA',
  issuer: issuer.id,
  issuedAtMs: 1,
  notBeforeMs: 1,
  notAfterMs: 90 * 86_400_000,
  serial: '0A',
  renewalId: 'aa.bb',
  profile: 'classic',
};
const kinds = {
  'certificates/a.example.com': certificate,
  'renewals/a.example.com': {
    version: 1,
    id: name,
    serial: '0A',
    renewAtMs: 60 * 86_400_000,
    source: 'ari',
    checkAtMs: 5,
    window: { startMs: 1, endMs: 2, explanationUrl: 'https://ca.example/why' },
  },
  'accounts/letsencrypt': {
    version: 1,
    issuer: issuer.id,
    directoryUrl: issuer.directoryUrl,
    url: 'https://ca.example/1',
    sealedKey: 'k1.AAAA',
    createdAtMs: 1,
  },
  'names/a.example.com': {
    version: 1,
    name,
    service: 'swarm/a',
    failures: 2,
    nextAttemptMs: 9,
    rehearsed: false,
    unanswered: 1,
    failure: { type: 'dns', detail: 'no such name', challenge: 'http-01', issuer: issuer.id, notBeforeMs: 7 },
  },
  'notices/late-replicas': { version: 1, kind: 'replicas-late', replicas: ['two'], atMs: 5 },
  'notices/clock-letsencrypt': { version: 1, kind: 'clock-off', issuer: issuer.id, aheadMs: 90_000_000, atMs: 5 },
} as const;
const others = {
  order: {
    version: 1,
    id: name,
    names: [name],
    services: ['swarm/a'],
    issuer: issuer.id,
    rehearsal: false,
    challenge: 'http-01',
    profile: 'classic',
    replaces: 'aa.bb',
    reason: 'new',
    startedAtMs: 1,
    sealedKey: 'k1.AAAA',
    url: 'https://ca.example/2',
    told: ['https://ca.example/3'],
  },
  budget: {
    version: 1,
    orders: [1],
    failures: { [name]: [1] },
    sets: { [name]: [1] },
    domains: { 'example.com': [1] },
  },
  request: { kind: 'adopt', certificate, by: 'ann' },
} as const;

const head = {
  version: 1,
  id: 'h1',
  revision: 3,
  documents: { 'certificates/a.example.com': 'digest', 'names/b.example.com': 'digest' },
  answers: [{ kind: 'http-01', name, token: 't', keyAuthorization: 't.x' }],
} as const;
const required = [{ name, services: ['swarm/a'], issuers: [issuer.id], challenges: ['http-01'] }] as const;
const beside = { name: 'z.example.com', services: ['swarm/z'], issuers: [issuer.id], challenges: ['http-01'] } as const;
const failureBeside = {
  ...kinds['names/a.example.com'],
  name: beside.name,
  service: 'swarm/z',
};

function texts(document: object): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 50, arbitrary: mutationsOf(document).map((mutated) => textOf(mutated) ?? '') },
    { weight: 1, arbitrary: fc.constantFrom(...hostileTexts.filter((text) => text.length < 100_000)) },
  );
}

describe('documents of certificates in the registry, whatever stands in them', function () {
  this.timeout(120_000);
  const key = secretsKeyOf(Buffer.alloc(32, 7).toString('base64')) as SecretsKey;

  it('are mutated in every field of every kind', () => {
    for (const each of [...Object.values(kinds), ...Object.values(others)])
      expect(pathsOf(each).length).to.be.greaterThan(3);
  });

  for (const [place, document] of Object.entries(kinds))
    it(`cost what they are of at most, in listings, problems and plans: ${place}`, () => {
      fc.assert(
        fc.property(texts(document), (text) => {
          const view: AcmeView = {
            documents: new Map<string, string>([
              ...Object.entries(kinds).map(([each, value]) => [each, JSON.stringify(value)] as const),
              [place, text],
              ['names/z.example.com', JSON.stringify(failureBeside)],
            ]),
            responses: [],
          };
          const names = issuerNames(
            [issuer],
            (id) => documents.readDocument(documents.accountSchema, view.documents.get(`accounts/${id}`))?.directoryUrl,
          );
          const all = [...required, beside];
          listOrdered(view, all, names);
          const waiting = listWaiting(view, all, names, 8);
          expect(waiting.some((each) => each.name === beside.name)).to.equal(true);
          const problems = certificateProblems(view, all, names, 8);
          expect(problems.get('swarm/z')?.map(({ reason }) => reason)).to.include.members([
            ...(certificateProblems(
              { documents: new Map([['names/z.example.com', JSON.stringify(failureBeside)]]), responses: [] },
              all,
              names,
              8,
            )
              .get('swarm/z')
              ?.map(({ reason }) => reason) ?? []),
          ]);
          const certificates = certificatesIn(view);
          const usable = new UsableCertificates([key]);
          for (const each of certificates) expect(usable.has(text, each)).to.equal(false);
          planOrders({
            required: all,
            certificates: certificates.map((each) => ({ ...each, renewAtMs: each.notAfterMs })),
            states: new Map(namesIn(view).map((each) => [each.name, each])),
            inProgress: new Set(),
            requested: new Set(),
            nowMs: 8,
          } as never);
        }),
        fuzzRuns(runs.reports, seed),
      );
    });

  for (const [kind, document, schema, use] of [
    ['head', head, documents.headSchema, (read: documents.AcmeHead) => Object.keys(read.documents)],
    ['order', others.order, documents.orderSchema, (read: documents.OrderDocument) => read.names.join()],
    ['request', others.request, documents.requestSchema, (read: documents.RequestDocument) => read.by],
    [
      'budget',
      others.budget,
      documents.budgetSchema,
      (read: documents.BudgetDocument) => admit(read, issuer.limits, { names: [name], exempt: false }, 8),
    ],
  ] as const)
    it(`are read whole, or count as absent: ${kind}`, () => {
      let read = 0;
      fc.assert(
        fc.property(texts(document), (text) => {
          const found = documents.readDocument(schema as never, text);
          if (found === undefined) return;
          read += 1;
          use(found as never);
          for (const [path, value] of timesIn(found)) expect(() => new Date(value).toISOString(), path).to.not.throw();
        }),
        fuzzRuns(runs.readings, seed),
      );
      expect(read).to.be.greaterThan(runs.readings / 20);
    });

  it('write no file outside of their folder, whatever their keys, and are kept beside one that cannot be written', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'swarmgate-acme-hostile-'));
    const folder = join(directory, 'data', 'acme');
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data', 'x.json'), 'untouched');
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(hostileKey, { maxLength: 4 }), async (keysGiven) => {
          const listed = Object.fromEntries(
            [...keysGiven, 'certificates/z.example.com'].map((each) => [each, 'digest']),
          );
          const served = Promise.withResolvers<void>();
          const follower = new AcmeFollower({
            store: storeOf({ ...head, documents: listed }),
            keys: acmeKeys('edge'),
            folder: documentFolder(folder, silentLogger),
            logger: silentLogger,
            apply: async () => undefined,
            onServed: () => served.resolve(),
            onMissing: () => undefined,
          });
          await follower.start();
          await served.promise;
          await until('the document beside it is on the disk', async () =>
            (await readdir(join(folder, 'certificates')).catch((): string[] => [])).includes('z.example.com.json'),
          );
          await follower.stop();
          expect(await readdir(directory)).to.deep.equal(['data']);
          expect((await readdir(join(directory, 'data'))).toSorted()).to.deep.equal(['acme', 'x.json']);
          const kindsWritten = await readdir(folder);
          expect(kindsWritten.every((each) => /^(accounts|certificates|renewals|names|notices)$/.test(each))).to.equal(
            true,
          );
          await rm(folder, { recursive: true, force: true });
        }),
        fuzzRuns(runs.folder, seed),
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Every number that is named as a moment. */
function timesIn(document: unknown): readonly (readonly [string, number])[] {
  return pathsOf(document).flatMap((path) => {
    let value = document;
    for (const step of path) value = (value as Record<string, unknown>)[step];
    const isMoment = /Ms$/.test(path.at(-1) ?? '') && !/aheadMs$/.test(path.at(-1) ?? '');
    return typeof value === 'number' && isMoment ? [[path.join('.'), value] as const] : [];
  });
}

const hostileKey = fc
  .tuple(
    fc.constantFrom('certificates/', 'names/', 'accounts/', 'renewals/', 'notices/', 'orders/', '', '../', '/'),
    fc.oneof(
      fc.constantFrom(
        '../../x',
        '../../../x',
        '..',
        '.',
        '',
        'a/b',
        '/etc/x',
        'a\\..\\b',
        'a\0b',
        'x'.repeat(300),
        '__proto__',
        'a.example.com',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    ),
  )
  .map(([kind, rest]) => kind + rest);

/** A registry that has the head, and a value for whatever key it is requested for. */
function storeOf(headDocument: object): KeyValueStore {
  let isRead = false;
  return {
    waitForKey: async (_key: string, _index: number, signal?: AbortSignal) => {
      if (isRead)
        await new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      isRead = true;
      return { index: 1, data: { key: 'edge/acme/head', value: JSON.stringify(headDocument), index: 1 } };
    },
    getMany: async (requested: readonly string[]) =>
      new Map(requested.map((each) => [each, { key: each, value: randomBytes(4).toString('hex'), index: 1 }])),
  } as unknown as KeyValueStore;
}
