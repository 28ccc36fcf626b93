import { z } from 'zod';
import { isFixedRequestHeader, isFramingHeader, isHeaderValue } from './header-names.ts';
import { isPasswordHash } from './password-hash-format.ts';
import { regularExpressionFault } from './regular-expression.ts';
import type { Destination, ServiceLabels } from './service-definition.ts';

/**
 * The shape of a definition as JSON, field by field. Fields that nobody knows are dropped, so that a newer listener may
 * write beside an older proxy. What spans several fields stands in `check-destinations.ts`.
 */

const namePart = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dot, underscore, hyphen');
const text = z.string().min(1);
const texts = z.array(text).min(1);
const port = z.int().min(1).max(65_535);
const durationMs = z.int().min(0).max(2_000_000_000);
const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected a header name (RFC 9110, section 5.1)');
const headerText = z.string().refine(isHeaderValue, 'expected one line of text in Latin letters');

const changeableHeader = token.refine(
  (name) => !isFramingHeader(name),
  'expected a header that belongs to the message, not one that frames it',
);

const headerRule = z.object({
  name: changeableHeader,
  value: headerText,
  condition: z.enum(['if-secure', 'unless-secure']).exactOptional(),
});

const changeableRequestHeader = changeableHeader.refine(
  (name) => !isFixedRequestHeader(name),
  'expected a header that the proxy does not set itself',
);

const requestHeaderRule = headerRule.extend({ name: changeableRequestHeader });

const pathRewrite = z
  .object({
    search: text,
    replace: z.string(),
    all: z.boolean().exactOptional(),
    ignoreCase: z.boolean().exactOptional(),
  })
  .superRefine((rewrite, context) => {
    const fault = regularExpressionFault(rewrite.search);
    if (fault !== undefined) context.addIssue({ code: 'custom', path: ['search'], message: fault });
  });

const userEntry = z.object({
  username: text,
  passwordHash: z
    .string()
    .refine(isPasswordHash, 'expected a salted hash ($5$, $6$, $2b$, $apr1$ or $scrypt$), never a plain password')
    .exactOptional(),
});

// The two records name every field of their type: a label without a shape does not compile.
type Shape<T> = { readonly [K in keyof T]-?: z.ZodType };

export const serviceLabelsShape = {
  aclName: text.exactOptional(),
  isDefaultBackend: z.boolean().exactOptional(),
  serviceDomainAlgo: z.enum(['hdr(host)', 'hdr_beg(host)', 'hdr_dom(host)', 'hdr_end(host)']).exactOptional(),
  proxyInstanceName: text.exactOptional(),
  redirectWhenHttpProto: z.boolean().exactOptional(),
  redirectUnlessHttpsProto: z.boolean().exactOptional(),
  users: z.array(userEntry).min(1).exactOptional(),
  usersSecret: namePart.exactOptional(),
  usersPassEncrypted: z.boolean().exactOptional(),
  addReqHeader: z.array(requestHeaderRule).exactOptional(),
  setReqHeader: z.array(requestHeaderRule).exactOptional(),
  delReqHeader: z.array(changeableRequestHeader).exactOptional(),
  addResHeader: z.array(headerRule).exactOptional(),
  setResHeader: z.array(headerRule).exactOptional(),
  delResHeader: z.array(changeableHeader).exactOptional(),
  compressionAlgo: z.array(z.enum(['gzip', 'deflate', 'br'])).exactOptional(),
  compressionType: texts.exactOptional(),
  connectionMode: z.enum(['http-keep-alive', 'http-server-close', 'httpclose']).exactOptional(),
  sessionType: z.enum(['sticky-server']).exactOptional(),
  discoveryType: z.enum(['DNS']).exactOptional(),
  serviceCert: text.exactOptional(),
  balance: z.enum(['round-robin', 'least-outstanding']).exactOptional(),
  weight: z.int().min(0).max(256).exactOptional(),
  rateLimit: z
    .object({ requests: z.int().min(1).max(1_000_000_000), windowMs: z.int().min(1).max(86_400_000) })
    .exactOptional(),
  rateLimitKey: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('ip') }),
      z.object({ kind: z.literal('header'), name: token }),
    ])
    .exactOptional(),
  allowedAddresses: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .min(1)
    .exactOptional(),
  replicas: z.int().min(0).exactOptional(),
  distribute: z.boolean().exactOptional(),
} satisfies Shape<ServiceLabels>;

export const destinationShape = {
  index: z.int().min(0).max(1000),
  since: z.int().min(0),
  servicePath: texts.exactOptional(),
  pathType: z
    .object({
      matcher: z.enum([
        'path_beg',
        'path',
        'path_end',
        'path_reg',
        'path_sub',
        'path_dir',
        'sni',
        'sni_beg',
        'sni_end',
        'sni_reg',
      ]),
      ignoreCase: z.boolean(),
    })
    .exactOptional(),
  servicePathExclude: texts.exactOptional(),
  serviceDomain: texts.exactOptional(),
  serviceHeader: z
    .unknown()
    // A record drops this key, and with it the condition: the route would take requests that it was not meant for.
    .refine((given) => !(typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__')), {
      error: 'expected names of headers, not __proto__',
    })
    .pipe(z.record(token, headerText))
    .exactOptional(),
  userAgent: texts.exactOptional(),
  srcPort: port.exactOptional(),
  port: port.exactOptional(),
  httpsPort: port.exactOptional(),
  srcHttpsPort: port.exactOptional(),
  outboundHostname: z
    .string()
    .regex(/^[A-Za-z0-9._:[\]-]+$/, 'expected a host name or address')
    .exactOptional(),
  reqMode: z.enum(['http', 'tcp', 'sni']).exactOptional(),
  redirectFromDomain: texts.exactOptional(),
  httpsOnly: z.boolean().exactOptional(),
  httpsRedirectCode: z.literal([301, 302, 303, 307, 308]).exactOptional(),
  denyHttp: z.boolean().exactOptional(),
  allowedMethods: z.array(token).min(1).exactOptional(),
  deniedMethods: z.array(token).min(1).exactOptional(),
  verifyClientSsl: z.boolean().exactOptional(),
  ignoreAuthorization: z.boolean().exactOptional(),
  reqPathSearchReplace: z.array(pathRewrite).min(1).exactOptional(),
  timeoutServerMs: durationMs.exactOptional(),
  timeoutTunnelMs: durationMs.exactOptional(),
  timeoutClientMs: durationMs.exactOptional(),
  sslVerifyNone: z.boolean().exactOptional(),
  accessLog: z.union([z.literal('off'), z.object({ every: z.int().min(1).max(1_000_000) })]).exactOptional(),
  serviceGroup: text.exactOptional(),
  balanceGroup: text.exactOptional(),
  checkTcp: z.boolean().exactOptional(),
  clitcpka: z.boolean().exactOptional(),
  checkPath: z
    .string()
    .regex(/^\/[^\s]*$/, 'expected a path such as /health')
    .exactOptional(),
  checkIntervalMs: z.int().min(100).max(3_600_000).exactOptional(),
} satisfies Shape<Destination>;

const source = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('swarm'),
    swarmId: z.string(),
    serviceId: z.string(),
    versionIndex: z.number(),
  }),
  z.object({ kind: z.enum(['rest', 'env', 'sample']), by: z.string() }),
]);

export const definitionSchema = z.object({
  version: z.literal(1),
  service: namePart,
  owner: namePart,
  source,
  updatedAt: z.iso.datetime(),
  ...serviceLabelsShape,
  destinations: z.array(z.object(destinationShape)).min(1),
});

export const endpointsSchema = z.object({
  version: z.literal(1),
  service: namePart,
  owner: namePart,
  dnsName: text,
  tasks: z.array(
    z.object({
      taskId: text,
      nodeId: z.string(),
      state: z.enum(['active', 'draining']),
      addresses: z.array(z.union([z.cidrv4(), z.cidrv6()])),
    }),
  ),
  published: z.array(z.object({ host: text, port, targetPort: port })),
  vip: z.union([z.cidrv4(), z.cidrv6()]).exactOptional(),
  network: text.exactOptional(),
});
