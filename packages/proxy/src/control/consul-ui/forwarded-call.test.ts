import { expect } from 'chai';
import { decideForward, type UiCall } from './forwarded-call.ts';

const rights = { token: 'ui-token', instance: 'swarmgate' };
const own = { 'x-consul-token': ['own-token'] };
const decide = (method: string, target: string, fields: UiCall['fields'] = {}, upgrade = false) =>
  decideForward({ method, target, fields, upgrade }, rights);
const outcome = (...call: Parameters<typeof decide>) => {
  const decision = decide(...call);
  return decision.kind === 'forward' ? decision.tokenOf : decision.reason;
};

describe('what goes on to Consul', () => {
  const cases = [
    // With the UI's token: reading what the UI shows, writing manual services.
    ['GET', '/', {}, 'ui'],
    ['GET', '/ui/swarmgate/kv/swarmgate/services/swarm/shop/edit', {}, 'ui'],
    ['GET', '/ui/dc1/kv/swarmgate/services//create', {}, 'ui'],
    ['GET', '/ui/dc1/kv/swarmgate%2Fservices%2F/edit', {}, 'ui'],
    ['HEAD', '/v1/kv/swarmgate/head', {}, 'ui'],
    ['GET', '/v1/kv/?keys&dc=dc1&separator=%2F', {}, 'ui'],
    ['GET', '/v1/catalog/datacenters', {}, 'ui'],
    ['GET', '/v1/internal/ui/nodes?dc=dc1&index=7', {}, 'ui'],
    ['POST', '/v1/internal/acl/authorize?dc=dc1', {}, 'ui'],
    ['PUT', '/v1/kv/swarmgate/services/manual/legacy?dc=dc1', {}, 'ui'],
    ['DELETE', '/v1/kv/swarmgate/services/manual/legacy', {}, 'ui'],
    ['PUT', '/v1/kv/swarmgate/services/manual/legacy', { 'x-consul-token': [''] }, 'ui'],
    ['PUT', '/v1/kv/swarmgate/services/manual/legacy', { 'x-consul-token': ['  '] }, 'ui'],
    // Everything else needs a token of one's own.
    ['PUT', '/v1/kv/swarmgate/services/swarm/shop', {}, 'token-needed'],
    ['PUT', '/v1/kv/swarmgate/services/manual', {}, 'token-needed'],
    ['DELETE', '/v1/kv/swarmgate/services/manual?recurse', {}, 'token-needed'],
    ['DELETE', '/v1/kv/?recurse', {}, 'token-needed'],
    ['PUT', '/v1/kv/swarmgate/services/manual-2/x', {}, 'token-needed'],
    ['PUT', '/v1/kv/other/services/manual/x', {}, 'token-needed'],
    ['POST', '/v1/kv/swarmgate/services/manual/x', {}, 'token-needed'],
    ['PUT', '/v1/txn', {}, 'token-needed'],
    ['PUT', '/v1/agent/leave', {}, 'token-needed'],
    ['PUT', '/v1/agent/service/register', {}, 'token-needed'],
    ['PUT', '/v1/agent/token/default', {}, 'token-needed'],
    ['PUT', '/v1/session/create', {}, 'token-needed'],
    ['PUT', '/v1/acl/bootstrap', {}, 'token-needed'],
    // It would respond with the UI's token, the others with more.
    ['GET', '/v1/acl/token/self', {}, 'token-needed'],
    ['GET', '/v1/acl/tokens', {}, 'token-needed'],
    ['GET', '/v1/snapshot', {}, 'token-needed'],
    ['GET', '/v1/agent/self', {}, 'token-needed'],
    ['GET', '/v1/agent/connect/ca/leaf/web', {}, 'token-needed'],
    ['GET', '/v1/internal/acl/authorize', {}, 'token-needed'],
    ['GET', '/v1', {}, 'token-needed'],
    // With one's own Consul decides.
    ['GET', '/v1/acl/token/self', own, 'person'],
    ['PUT', '/v1/kv/swarmgate/services/swarm/shop', own, 'person'],
    ['PUT', '/v1/agent/leave', own, 'person'],
    ['GET', '/v1/kv/a', { 'x-consul-token': ['a', 'b'] }, 'token-repeated'],
    ['GET', '/v1/kv/a', { 'x-consul-token': ['', 'b'] }, 'token-repeated'],
    ['GET', '/v1/kv/a', { 'x-consul-token': ['a b'] }, 'token-invalid'],
    ['GET', '/v1/kv/a', { 'x-consul-token': ['ü'] }, 'token-invalid'],
    // Methods.
    ['PATCH', '/v1/kv/a', own, 'method-unsupported'],
    ['OPTIONS', '/v1/kv/a', own, 'method-unsupported'],
    ['TRACE', '/v1/kv/a', own, 'method-unsupported'],
    ['CONNECT', 'consul:8500', own, 'method-unsupported'],
    ['PURGE', '/v1/kv/a', own, 'method-unsupported'],
    // Paths that Consul could read otherwise.
    ['PUT', '/v1/kv/swarmgate/services/manual/..%2fswarm/shop', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/%2e%2e/swarm/shop', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/../swarm/shop', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/./x', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual//x', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/a%5c..%5cb', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/a%00', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/a%0d%0ab', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/%ff', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/%2', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/a\\b', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv/swarmgate/services/manual/a#b', {}, 'path-ambiguous'],
    ['PUT', '/v1/kv%2fswarmgate/services/manual/x', {}, 'path-ambiguous'],
    ['GET', '//v1/kv/a', {}, 'path-ambiguous'],
    ['GET', '/ui/..%2fv1/acl/token/self', {}, 'path-ambiguous'],
    ['GET', '/ui/a%2f..%2f..%2fv1/acl/token/self', {}, 'path-ambiguous'],
    ['GET', '/ui//..//v1/acl/token/self', {}, 'path-ambiguous'],
    ['GET', '//ui/', {}, 'path-ambiguous'],
    ['GET', '/%2fui/', {}, 'path-ambiguous'],
    ['GET', '/ui/%2e%2e/v1/acl/token/self', {}, 'path-ambiguous'],
    ['GET', 'http://consul:8500/v1/kv/a', {}, 'path-ambiguous'],
    ['GET', '*', {}, 'path-ambiguous'],
    ['GET', '', {}, 'path-ambiguous'],
    // One escape only is undone by Consul.
    ['PUT', '/v1/kv/swarmgate/services/manual/%252e%252e', {}, 'ui'],
    ['GET', '/%761/acl/token/self', {}, 'path-unknown'],
    ['GET', '/v1/%61cl/token/self', {}, 'token-needed'],
    ['GET', '/V1/kv/a', {}, 'path-unknown'],
    ['GET', '/debug/pprof/', own, 'path-unknown'],
    ['GET', '/v1x', own, 'path-unknown'],
    ['GET', '/uix', own, 'path-unknown'],
    // Tokens in the query, however they are written.
    ['GET', '/v1/kv/a?token=t', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?raw&token=t', own, 'token-in-query'],
    ['GET', '/v1/kv/a?token', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?%74oken=t', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?%74%6F%6b%65n=t', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?Token=t', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?+token=t', {}, 'token-in-query'],
    ['GET', '/v1/kv/a?raw;token=t', {}, 'query-ambiguous'],
    ['GET', '/v1/kv/a?raw%3btoken=t', {}, 'ui'],
    ['GET', '/v1/kv/a?a=%zz', {}, 'query-ambiguous'],
    ['GET', '/v1/kv/a?a#b', {}, 'query-ambiguous'],
    ['GET', '/v1/kv/a?tokens=1&a=token', {}, 'ui'],
    // Bodies.
    ['PUT', '/v1/kv/swarmgate/services/manual/x', { 'content-length': ['524288'] }, 'ui'],
    ['PUT', '/v1/kv/swarmgate/services/manual/x', { 'content-length': ['524289'] }, 'body-too-large'],
    ['PUT', '/v1/kv/swarmgate/services/manual/x', { 'content-length': ['1', '1'] }, 'length-repeated'],
    ['PUT', '/v1/kv/swarmgate/services/manual/x', { 'transfer-encoding': ['chunked'] }, 'length-required'],
    [
      'PUT',
      '/v1/kv/swarmgate/services/manual/x',
      { 'transfer-encoding': ['chunked'], 'content-length': ['1'] },
      'length-required',
    ],
  ] as const;
  for (const [method, target, fields, expected] of cases)
    it(`${method} ${target} ${JSON.stringify(fields)}: ${expected}`, () => {
      expect(outcome(method, target, fields as unknown as UiCall['fields'])).to.equal(expected);
    });

  it('is the token of the UI or the person’s, and nothing that Consul takes for one', () => {
    const fields = {
      accept: ['text/html'],
      authorization: ['Bearer admin'],
      cookie: ['a=b'],
      connection: ['x-consul-token, close'],
      expect: ['100-continue'],
      forwarded: ['for=1'],
      host: ['ops.example'],
      origin: ['https://ops.example'],
      'proxy-authorization': ['Basic x'],
      'x-forwarded-for': ['1'],
      'x-vault-token': ['x'],
    };
    const ui = decide('GET', '/v1/kv/a', fields);
    expect(ui).to.deep.include({ headers: { accept: 'text/html', 'x-consul-token': 'ui-token' } });
    const personal = decide('GET', '/v1/kv/a', { ...fields, ...own });
    expect(personal).to.deep.include({ headers: { accept: 'text/html', 'x-consul-token': 'own-token' } });
  });

  it('is no token where neither the person nor the proxy has one', () => {
    const call = { method: 'GET', target: '/v1/kv/a', fields: { 'x-consul-token': [''] }, upgrade: false };
    expect(decideForward(call, { ...rights, token: undefined })).to.deep.include({ headers: {}, tokenOf: 'none' });
  });

  it('may be silent for longer where the call waits for a change', () => {
    const silenceOf = (target: string) => {
      const decision = decide('GET', target);
      return decision.kind === 'forward' ? decision.silenceMs : 0;
    };
    expect(silenceOf('/v1/kv/a')).to.equal(30_000);
    expect(silenceOf('/v1/kv/a?wait=5m')).to.equal(30_000);
    expect(silenceOf('/v1/kv/a?wait=10m&index=1')).to.equal(647_500);
  });

  it('is an upgrade with the fields of a WebSocket, and without a body', () => {
    const fields = { ...own, connection: ['keep-alive, Upgrade'], upgrade: ['websocket'], 'sec-websocket-key': ['k'] };
    expect(decide('GET', '/v1/x', fields, true)).to.deep.include({
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'k',
        'x-consul-token': 'own-token',
      },
    });
    expect(outcome('GET', '/v1/x', { ...fields, 'content-length': ['1'] }, true)).to.equal('upgrade-with-body');
  });
});
