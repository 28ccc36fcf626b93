/** Responds by itself: the endpoint gets no request. @type {import('swarmgate').Plugin} com.df.plugins=maintenance(retryAfter=600) */
export default ({ retryAfter = 300, message = 'down for maintenance' }) =>
  (request, response) => {
    response.status(503).set('Retry-After', String(retryAfter)).json({ message, path: request.originalUrl });
  };
