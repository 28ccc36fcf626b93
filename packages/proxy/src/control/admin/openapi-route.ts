import { readFileSync } from 'node:fs';
import { Router } from 'express';

/** `docs/openapi.yaml` of the repository, which the image carries along. */
export const openapiFile = new URL('../../../../../docs/openapi.yaml', import.meta.url);

export function openapiRoute(): Router {
  const router = Router();
  router.get('/v1/openapi.yaml', (_request, response) => {
    response.type('application/yaml').send(readFileSync(openapiFile, 'utf8'));
  });
  return router;
}
