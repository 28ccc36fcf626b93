import { consoleFiles } from '@swarmgate/console';
import { Router } from 'express';

// Scripts and styles of this port only; nothing inline, no frame around it.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The console at `/`: its files hold no data, which the page reads by the REST as any other client. */
export function consoleRoutes(files: ReturnType<typeof consoleFiles> = consoleFiles()): Router {
  const router = Router();
  if (files.size === 0) {
    router.get('/', (_request, response) => {
      response.status(404).type('text').send('The console is not built. Run `npm run build`.\n');
    });
    return router;
  }
  for (const [path, { type, bytes, gzipped, isHashed }] of files)
    router.get(path, (request, response) => {
      response.setHeader('Content-Type', type);
      response.setHeader('Content-Security-Policy', policy);
      response.setHeader('Referrer-Policy', 'no-referrer');
      response.setHeader('Vary', 'Accept-Encoding');
      if (isHashed) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
      if (request.acceptsEncodings('gzip') === 'gzip') response.setHeader('Content-Encoding', 'gzip').end(gzipped);
      else response.end(bytes);
    });
  return router;
}
