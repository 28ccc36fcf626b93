/** What an endpoint does to its connection, and the path on which the endpoints of the rig do it: the same over each protocol. */
const endpointEndings = {
  'no route takes a request': '/nowhere',
  'a step refuses a request': '/closed/ok',
  'the endpoint refuses the connection': '/dead/ok',
  'the endpoint closes without a response': '/e/close',
  'the endpoint resets': '/e/reset',
  'the endpoint sends no HTTP': '/e/garble',
  'the endpoint is silent': '/e/silent',
  'the response ends early': '/e/partial',
  'the response is reset': '/e/cut',
  'the response stalls': '/e/stalled',
} as const;

export function eachEndpointEnding<R>(run: (path: string) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(endpointEndings).map(([what, path]) => [what, run(path)]));
}
