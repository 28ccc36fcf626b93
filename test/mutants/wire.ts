import { faultsIn, type Mutant } from './mutant.ts';

const acme = 'packages/acme/src';
const labels = 'packages/labels/src';
const proxy = 'packages/proxy/src';
const access = ['packages/proxy/test/middlewares/headers-and-access.slow.test.ts'];

/** Traces, live items, hints of peers, DNS messages, expiries, allow lists, TOML. */
export const wireMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/exchange/tracing/trace-context.ts`,
    [`${proxy}/exchange/tracing/trace-context.test.ts`],
    [
      ['version ff is read', "version === 'ff' || ", ''],
      ['version 00 may have more fields', "(version === '00' && more !== undefined)", 'false'],
      ['a trace id of zeros is taken', '/^0+$/.test(traceId) || ', ''],
      ['a parent id of zeros is taken', ' || /^0+$/.test(parentId)', ''],
      ['other flags count as sampled', '(Number.parseInt(flags, 16) & 1) === 1', 'Number.parseInt(flags, 16) > 0'],
      ['the decision of an untrusted caller counts', 'sampler.parentBased && trusted', 'sampler.parentBased'],
      ['a sampler without parents follows them', 'sampler.parentBased && trusted', 'trusted'],
      ['the label of the route has no effect', 'ratio ?? sampler.ratio', 'sampler.ratio'],
      ['the share is of those that are not sampled', 'lot >= 1 - share', 'lot >= share'],
      ['attempts share a span id', 'if (attempt === 0) return attemptId;', 'return attemptId;'],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/live/item-versions.ts`,
    [`${proxy}/control/live/item-versions.test.ts`],
    [
      ['equal text is a change', 'if (item?.text === text) return;', ''],
      [
        'a removal has no version',
        'item.text = undefined;\n      item.version = this.#version;',
        'item.text = undefined;',
      ],
      ['every removal is kept', 'while (this.#gone.length > this.#mostGone) this.#drop();', ''],
      ['a client that is too old reads on', 'if (version > 0 && version < this.#oldest) return undefined;', ''],
      ['the same version is read again', 'item.version > version &&', 'item.version >= version &&'],
      ['an item that came back is dropped', 'if (item?.version === oldest.version) ', ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/bus/message.ts`,
    [`${proxy}/control/bus/message.test.ts`],
    [
      ['a message of any size is read', 'if (text.length > mostMessageBytes) return undefined;', ''],
      ['another version is read', 'version: z.literal(1)', 'version: z.number()'],
      ['a replica may have any name', '.max(128).refine(isName)', '.max(128)'],
      ['a sequence may be negative', 'sequence: z.int().min(0)', 'sequence: z.int()'],
      ['counts may be negative', 'z.number().min(0).max(1e12)', 'z.number().max(1e12)'],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/bus/token-bucket.ts`,
    [`${proxy}/control/bus/token-bucket.test.ts`],
    [
      ['quiet time collects without a bound', 'Math.min(this.#perSecond, this.#left + (', 'Math.max(0, this.#left + ('],
      ['nothing is taken', 'this.#left -= count;', ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/tls/certificate-expiry.ts`,
    [`${proxy}/server/tls/certificate-expiry.test.ts`],
    [
      ['the warning comes a day before', '14 * 86_400_000', '86_400_000'],
      ['one that ended counts as ending', 'expiresMs <= nowMs', 'expiresMs < 0'],
      ['a replaced certificate is reported', 'problem === undefined || !isServed', 'problem === undefined'],
    ],
  ),
  ...faultsIn(`${proxy}/middleware/access/encoded-characters.ts`, access, [
    ['lower case passes', ", 'i')", ')'],
    ['an encoded slash passes', "[] : ['2F']", '[] : []'],
  ]),
  ...faultsIn(`${proxy}/middleware/access/ip-allow-list.ts`, access, [
    ['every address passes', "isAllowed(source(exchange) ?? '') ? proceed : denied", 'proceed'],
    ['the status of the label has no effect', '{ ...refused.response, status: use.rejectStatus }', 'refused.response'],
  ]),
  ...faultsIn(`${proxy}/middleware/access/pass-client-certificate.ts`, access, [
    ['the certificate that the client sends goes on', 'request.deleteInEverySpelling(pemHeader);', ''],
    ['the names that the client sends go on', 'request.deleteInEverySpelling(infoHeader);', ''],
  ]),
  ...faultsIn(
    `${acme}/challenges/dns-message.ts`,
    [`${acme}/challenges/dns-message.test.ts`],
    [
      ['names keep their case', 'name.toLowerCase().replace', 'name.replace'],
      ['an empty label is sent', 'bytes.length === 0 || ', ''],
      ['a label of 64 bytes is sent', 'bytes.length > 63', 'bytes.length > 64'],
      ['a message that is cut is read', "if (at > message.length) throw new RangeError('the DNS message is cut');", ''],
      ['a forged signature is valid', 'timingSafeEqual(mac, expected)', 'true'],
      ['the MAC of the request is left out', 'uint16(requestMac.length), requestMac, unsigned', 'unsigned'],
    ],
  ),
  ...faultsIn(
    `${acme}/report/certificate-problems.ts`,
    [`${acme}/report/certificate-problems.test.ts`],
    [
      ['a clock that is behind is ahead', "aheadMs > 0 ? 'behind'", "aheadMs < 0 ? 'behind'"],
      ['hours are minutes', '/ 3_600_000)', '/ 60_000)'],
    ],
  ),
  ...faultsIn(
    `${labels}/traefik/bounded-toml.ts`,
    [`${labels}/traefik/dynamic-file.test.ts`],
    [
      ['a file of any size is read', 'Buffer.byteLength(text) > yamlBounds.bytes', 'false'],
      ['the line of an error is lost', ', line: error.line', ''],
      ['names have lines of the JSON', '{ ...read.yaml, lineAt: () => undefined }', 'read.yaml'],
    ],
  ),
];
