import { readFileSync } from 'node:fs';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { Redis } from 'ioredis';

/**
 * Sessions in Redis, so that every worker and every replica has them. The endpoint gets the user's name.
 * The secret that signs cookies comes from a file: labels are readable in the registry.
 *
 * @type {import('swarmgate').Plugin} com.df.plugins=session(redis="redis://redis:6379",secretFile=/run/secrets/session)
 */
export default ({ redis = 'redis://redis:6379', secretFile, secure = true }, { log, signal }) => {
  if (typeof secretFile !== 'string') throw new Error('the option secretFile is not set');
  const client = new Redis(redis, { maxRetriesPerRequest: 1 });
  client.on('error', (error) => log.warn({ err: error }, 'Redis is away'));
  signal.addEventListener('abort', () => client.disconnect());
  const sessions = session({
    store: new RedisStore({ client, prefix: 'session:', ttl: 86_400 }),
    secret: readFileSync(secretFile, 'utf8').trim(),
    resave: false,
    saveUninitialized: false,
    cookie: { secure, httpOnly: true, sameSite: 'lax' },
  });
  const count = (request, _response, next) => {
    request.session.requests = (request.session.requests ?? 0) + 1;
    request.headers['x-session-requests'] = String(request.session.requests);
    next();
  };
  return [sessions, count];
};
