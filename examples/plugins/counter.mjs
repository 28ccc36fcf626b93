/** Streams a response of its own, a line at a time. @type {import('swarmgate').Plugin} com.df.plugins=counter(lines=5,everyMs=100) */
export default ({ lines = 5, everyMs = 100 }) =>
  (_request, response) => {
    response.type('text/plain');
    let line = 0;
    const timer = setInterval(() => {
      line += 1;
      response.write(`${line}\n`);
      if (line === lines) response.end();
    }, everyMs);
    response.on('close', () => clearInterval(timer));
    response.on('finish', () => clearInterval(timer));
  };
