import { Transform } from 'node:stream';

/** Changes a response while it streams. @type {import('swarmgate').Plugin} com.df.plugins=upper-case */
export default () => (_request, response, next) => {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  const writeHead = response.writeHead.bind(response);
  const upper = new Transform({
    transform: (bytes, _encoding, done) => done(null, bytes.toString('latin1').toUpperCase()),
  });
  response.writeHead = (...head) => {
    // Another length would be another response: the proxy frames it.
    response.removeHeader('Content-Length');
    return writeHead(...head);
  };
  response.write = (...given) => upper.write(...given);
  response.end = (...given) => {
    upper.end(...given);
    return response;
  };
  upper.on('data', (bytes) => write(bytes) || upper.pause());
  response.on('drain', () => upper.resume());
  upper.on('end', () => end());
  next();
};
