import { isName } from '@swarmgate/runtime';
import { readText } from '@swarmgate/runtime/rest';
import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { requireAuthorization, sendOutcome } from './http.ts';
import { queryOf } from './request-query.ts';
import type { CertificateView } from './response-bodies.ts';

const prefix = '/v1/docker-flow-proxy';
const largestPemBytes = 128 * 1024;

/** `PUT …/cert?certName=` with a PEM as body, and `GET …/certs`. */
export function certificateRoutes(parts: AdminParts): Router {
  const router = Router();
  const { certificates, settings, long } = parts;

  router.get(`${prefix}/certs`, requireAuthorization(parts, 'certificates'), (_request, response) =>
    long.respond(response, (signal) => {
      const shown = shownOf(certificates?.list() ?? []);
      return long.sendList(response, { Status: 'OK', Message: '' }, 'Certs', shown, signal);
    }),
  );

  router.put(`${prefix}/cert`, requireAuthorization(parts), readText(largestPemBytes), async (request, response) => {
    const name = queryOf(request).get('certName') ?? '';
    const refuse = (message: string) => sendOutcome(response, { kind: 'refused', status: 400, message });
    if (!isName(name)) {
      refuse('certName is not set, or not a name');
      return;
    }
    if (certificates === undefined) {
      const why =
        settings.secretsKey === undefined
          ? 'SECRETS_KEY is not set, and private keys go into the registry only encrypted'
          : 'this proxy keeps no certificates in the registry yet';
      refuse(`${why}: put the PEM into DATA_DIR/certs or mount it as the secret cert-${name}`);
      return;
    }
    const pem = typeof request.body === 'string' ? request.body : '';
    if (pem.trim() === '') {
      refuse('the body is empty: send the certificate and its private key as PEM');
      return;
    }
    const kept = await certificates.put(name, pem, `REST from ${request.socket.remoteAddress ?? 'unknown'}`);
    if (kept.ok) sendOutcome(response, { kind: 'done', message: kept.message });
    else refuse(kept.message);
  });

  return router;
}

function* shownOf(certificates: readonly CertificateView[]): Generator<object> {
  for (const certificate of certificates)
    yield {
      ServiceName: certificate.name,
      CertsDir: '/certs',
      // Docker Flow shows the private key here.
      CertContent: '',
      ...certificate,
    };
}
