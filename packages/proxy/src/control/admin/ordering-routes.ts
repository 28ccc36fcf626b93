import type { ImportedCertificate } from '@swarmgate/acme';
import { readJson } from '@swarmgate/runtime/rest';
import { type RequestHandler, Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { outcomeOfError } from './change-outcome.ts';
import { callerOf, requireAuthorization, sendOutcome } from './http.ts';
import { BadRequestError, queryOf } from './request-query.ts';
import type { CertificatesResponse, ImportResponse, ShownCertificate } from './response-bodies.ts';

/** A few hundred certificates with their chains. */
const largestImportBytes = 8 * 1024 * 1024;
const mostImported = 1_000;

/** `GET /v1/certificates`, `POST /v1/certificates/renew` and `…/import`. Private keys go in and never come out. */
export function orderingRoutes(parts: AdminParts): Router {
  const router = Router();

  router.get('/v1/certificates', requireAuthorization(parts, 'certificates'), (_request, response) =>
    parts.long.respond(response, (signal) => {
      const { certificates, ...head } = certificatesInSteps(parts);
      return parts.long.sendList(response, head, 'certificates', certificates, signal);
    }),
  );

  router.post('/v1/certificates/renew', requireAuthorization(parts), async (request, response) => {
    const name = queryOf(request).get('name') ?? '';
    if (name === '') throw new BadRequestError('name-missing', 'name is not set: the host to renew the certificate of');
    const { ordered } = parts;
    if (ordered === undefined) return refuseOff(response);
    try {
      if (await ordered.renew(name, callerOf(request)))
        sendOutcome(response, {
          kind: 'done',
          message: `${name} is ordered now; GET /v1/certificates shows what becomes of it`,
        });
      else
        sendOutcome(response, {
          kind: 'refused',
          status: 404,
          message: `no certificate is ordered for ${name}: no route on a TLS port has that host, another certificate covers it, or acme=false`,
        });
    } catch (error) {
      sendOutcome(response, outcomeOfError(error));
    }
  });

  router.post(
    '/v1/certificates/import',
    requireAuthorization(parts),
    readJson(largestImportBytes),
    async (request, response) => {
      const { ordered } = parts;
      if (ordered === undefined) return refuseOff(response);
      const pems = pemsOf(request.body);
      try {
        const body = importResponse(await ordered.adopt(pems, callerOf(request)));
        response.status(body.Status === 'OK' ? 200 : 400).json(body);
      } catch (error) {
        sendOutcome(response, outcomeOfError(error));
      }
    },
  );

  return router;
}

/** A `CertificatesResponse` whose certificates are made one by one, as they are taken. */
export function certificatesInSteps({ certificates, ordered }: Pick<AdminParts, 'certificates' | 'ordered'>): Omit<
  CertificatesResponse,
  'certificates'
> & {
  readonly certificates: Iterable<ShownCertificate>;
} {
  // Both in one turn: a certificate that comes in between would be listed without its dates.
  const byId = new Map((ordered?.ordered() ?? []).map((each) => [each.id, each]));
  const listed = certificates?.list() ?? [];
  function* shown(): Generator<ShownCertificate> {
    for (const each of listed) {
      const found = each.from === 'acme' ? byId.get(each.name) : undefined;
      const { id: _, names: __, ...more } = found ?? { id: '', names: [] };
      yield { ...each, ...more };
    }
  }
  return { ordering: ordered !== undefined, waiting: ordered?.waiting() ?? [], certificates: shown() };
}

/** Refused as a whole only where every one of them is: those that can be served are taken over. */
export function importResponse(certificates: readonly ImportedCertificate[]): ImportResponse {
  const Message = certificates
    .map(({ names, state, why }, at) => {
      const what = names.length === 0 ? `certificate ${at + 1}` : names.join(', ');
      return `${what}: ${state}${why === undefined ? '' : `: ${why}`}`;
    })
    .join('; ');
  const isRefused = certificates.every(({ state }) => state === 'refused');
  return { Status: isRefused ? 'NOK' : 'OK', Message, certificates };
}

/** @throws BadRequestError */
function pemsOf(body: unknown): readonly string[] {
  const given = typeof body === 'object' && body !== null && 'certificates' in body ? body.certificates : undefined;
  if (!Array.isArray(given) || given.length === 0 || given.length > mostImported || !given.every(isText))
    throw new BadRequestError(
      'body-invalid',
      `the body is not {"certificates": [<PEM of certificate and key>, …]} with 1 to ${mostImported} of them`,
    );
  return given;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function refuseOff(response: Parameters<RequestHandler>[1]): void {
  sendOutcome(response, {
    kind: 'refused',
    status: 400,
    message:
      'no certificates are ordered here: ACME_DIRECTORY is not set. Those that were ordered or imported are served and renewed only with it: set it on every proxy. A certificate without it: PUT /v1/docker-flow-proxy/cert, or a PEM in DATA_DIR/certs',
  });
}
