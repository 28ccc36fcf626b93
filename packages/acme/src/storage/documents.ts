import { z } from 'zod';
import { challengeKinds } from '../names/select-names.ts';

/**
 * What stands in the registry under `<instance>/acme/`. Times are milliseconds since the epoch. `sealedKey` is a private
 * key in PEM, sealed with `SECRETS_KEY` and bound to its document.
 */
const challengeKind = z.enum(challengeKinds);
/** What `Date` can hold (ECMA-262, 21.4.1.1): every reader may write it as ISO 8601. */
const mostTimeMs = 8_640_000_000_000_000;
const timeMs = z.number().min(-mostTimeMs).max(mostTimeMs);
const names = z.array(z.string()).min(1).max(100);

/** Revision of the documents that replicas follow, and the responses to pending challenges. */
export const headSchema = z.object({
  version: z.literal(1),
  /** Random, made with the head: another one is another registry. */
  id: z.string(),
  revision: z.number().int().nonnegative(),
  /** Key below `acme/` to a digest of its value. */
  documents: z.record(z.string(), z.string()),
  answers: z.array(
    z.object({
      kind: z.enum(['http-01', 'tls-alpn-01']),
      name: z.string(),
      token: z.string(),
      /** Public: any client may read the challenge response. */
      keyAuthorization: z.string(),
    }),
  ),
});

export const accountSchema = z.object({
  version: z.literal(1),
  issuer: z.string(),
  directoryUrl: z.string(),
  /** Absent until the CA has responded: the key is stored before the account is made, so that no account is lost. */
  url: z.string().optional(),
  sealedKey: z.string(),
  createdAtMs: timeMs,
});

export const certificateSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  names,
  /** PEM, leaf first. */
  chain: z.string(),
  sealedKey: z.string(),
  /** Issuer's id, or `imported`. */
  issuer: z.string(),
  issuedAtMs: timeMs,
  notBeforeMs: timeMs,
  notAfterMs: timeMs,
  serial: z.string(),
  renewalId: z.string().optional(),
  profile: z.string().optional(),
});

/** When a certificate is renewed, beside it because it changes with every look at the CA's renewal information. */
export const renewalSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  serial: z.string(),
  renewAtMs: timeMs,
  source: z.enum(['ari', 'lifetime']),
  /** When the renewal information is read again; absent where the CA has none. */
  checkAtMs: timeMs.optional(),
  window: z.object({ startMs: timeMs, endMs: timeMs, explanationUrl: z.string().optional() }).optional(),
});

/** A name without success since its first failure. */
export const nameSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  service: z.string(),
  failures: z.number().int().nonnegative(),
  nextAttemptMs: timeMs,
  /** The staging directory gave a certificate since the last failure: the next try is a real one. */
  rehearsed: z.boolean(),
  /** Orders in a row that the CA did not make, because it was away. */
  unanswered: z.number().int().nonnegative().optional(),
  failure: z
    .object({
      type: z.string(),
      detail: z.string(),
      challenge: challengeKind,
      issuer: z.string(),
      notBeforeMs: timeMs.optional(),
    })
    .optional(),
});

/** An order in progress; with it any replica can go on. */
export const orderSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  names,
  services: z.array(z.string()).min(1),
  issuer: z.string(),
  /** A try against the staging directory: its certificate is thrown away. */
  rehearsal: z.boolean(),
  challenge: challengeKind,
  profile: z.string().optional(),
  replaces: z.string().optional(),
  reason: z.enum(['new', 'renewal', 'requested']),
  startedAtMs: timeMs,
  sealedKey: z.string(),
  url: z.string().optional(),
  /** URLs of the challenges that the CA was notified of. */
  told: z.array(z.string()),
});

export const budgetSchema = z.object({
  version: z.literal(1),
  orders: z.array(timeMs),
  failures: z.record(z.string(), z.array(timeMs)),
  sets: z.record(z.string(), z.array(timeMs)),
  domains: z.record(z.string(), z.array(timeMs)),
});

/** What replicas report beside certificates and names. */
export const noticeSchema = z.discriminatedUnion('kind', [
  z.object({
    version: z.literal(1),
    kind: z.literal('replicas-late'),
    replicas: z.array(z.string()),
    atMs: timeMs,
  }),
  /** The CA's clock is more than a day ahead of that of the proxy that orders; negative: behind. */
  z.object({
    version: z.literal(1),
    kind: z.literal('clock-off'),
    issuer: z.string(),
    aheadMs: z.number(),
    atMs: timeMs,
  }),
]);

/** What any replica requests of the orderer. */
export const requestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('renew'), name: z.string(), by: z.string(), atMs: timeMs }),
  z.object({ kind: z.literal('adopt'), certificate: certificateSchema, by: z.string() }),
  z.object({ kind: z.literal('restore'), key: z.string(), value: z.string(), by: z.string() }),
]);

export type AcmeHead = z.infer<typeof headSchema>;
export type ChallengeResponse = AcmeHead['answers'][number];
export type AccountDocument = z.infer<typeof accountSchema>;
export type CertificateDocument = z.infer<typeof certificateSchema>;
export type RenewalDocument = z.infer<typeof renewalSchema>;
export type NameDocument = z.infer<typeof nameSchema>;
export type OrderDocument = z.infer<typeof orderSchema>;
export type BudgetDocument = z.infer<typeof budgetSchema>;
export type NoticeDocument = z.infer<typeof noticeSchema>;
export type RequestDocument = z.infer<typeof requestSchema>;

/** `undefined` for what is no JSON or not of that shape: a document that was spoilt by hand counts as absent. */
export function readDocument<T>(schema: z.ZodType<T>, value: string | undefined): T | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(value));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
