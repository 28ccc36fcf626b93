// Runs once in the stack: writes the policies and tokens of the stack to Consul, which denies everything by default. The
// tokens are Docker secrets, which proxies, listeners and the operator have already. Idempotent.
//   CONSUL_HTTP_ADDR, PROXY_INSTANCE_NAME, SWARM_NAME; policies beside this file; secrets in /run/secrets
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const consul = `http://${process.env.CONSUL_HTTP_ADDR ?? 'consul:8500'}/v1`;
const instance = process.env.PROXY_INSTANCE_NAME ?? 'swarmgate';
const swarm = process.env.SWARM_NAME ?? 'swarm';
const management = secret('consul_management_token');

await leader();
await becomeManager();
for (const role of ['listener', 'proxy', 'ui', 'agent']) await putPolicy(role);
await putToken(secret('consul_listener_token'), 'swarm-listeners', [policyName('listener')]);
await putToken(secret('consul_proxy_token'), 'proxies', [policyName('proxy')]);
// Of this datacenter alone: a call that names another one by `?dc=` has no rights there.
await putToken(secret('consul_ui_token'), 'Consul’s UI behind the proxies', [policyName('ui')], { Local: true });
const agent = derivedToken('agent');
await putToken(agent, 'Consul’s own agent', [policyName('agent')]);
await send('PUT', '/agent/token/agent', { Token: agent }, management);
console.log(`Consul has the policies and tokens of ${instance}`);

function secret(name) {
  return readFileSync(`/run/secrets/${name}`, 'utf8').trim();
}

async function leader() {
  for (;;) {
    const reply = await fetch(`${consul}/status/leader`).then(
      (response) => response.text(),
      () => '""',
    );
    if (reply.trim() !== '""') return;
    await pause(200);
  }
}

/** Consul gives its first token of all rights away once. Later the management token is known there. */
async function becomeManager() {
  const first = await send('PUT', '/acl/bootstrap', { BootstrapSecret: management });
  if (first.status === 403) return;
  if (first.status !== 200) throw new Error(`Consul's first token: ${first.status} ${first.text}`);
  const { SecretID, AccessorID } = JSON.parse(first.text);
  // Consul before 1.12 makes up a token of its own instead of taking ours.
  if (SecretID === management) return;
  await putToken(management, 'operators', ['global-management'], { by: SecretID });
  await send('DELETE', `/acl/token/${AccessorID}`, undefined, management);
}

async function putPolicy(role) {
  const rules = readFileSync(new URL(`./${role}-policy.hcl`, import.meta.url), 'utf8')
    .replaceAll('"swarmgate/', `"${instance}/`)
    .replaceAll('/swarm/"', `/${swarm}/"`)
    .replaceAll('/swarm"', `/${swarm}"`);
  const policy = { Name: policyName(role), Rules: rules };
  const present = await send('GET', '/acl/policies', undefined, management);
  const known = JSON.parse(present.text).find((each) => each.Name === policy.Name);
  const put = await send('PUT', known === undefined ? '/acl/policy' : `/acl/policy/${known.ID}`, policy, management);
  if (put.status !== 200) throw new Error(`policy ${policy.Name}: ${put.status} ${put.text}`);
}

function policyName(role) {
  return `${instance}-${role}`;
}

async function putToken(SecretID, Description, policies, { by = management, ...more } = {}) {
  const known = await send('GET', '/acl/token/self', undefined, SecretID);
  if (known.status === 200) return;
  const token = { SecretID, Description, Policies: policies.map((Name) => ({ Name })), ...more };
  const put = await send('PUT', '/acl/token', token, by);
  if (put.status !== 200) throw new Error(`token of ${Description}: ${put.status} ${put.text}`);
}

/** A token that only Consul itself uses, derived from the management token, so it needs no secret of its own. */
function derivedToken(purpose) {
  const hex = createHash('sha256').update(`${management} ${purpose}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

async function send(method, path, body, token) {
  const response = await fetch(consul + path, {
    method,
    headers: token === undefined ? {} : { 'X-Consul-Token': token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}
