import type { HeaderRule, ServiceDefinition } from '@swarmgate/registry';

/** Headers whose values let somebody in; the same names as in Docker Flow's answers. */
const credentialHeader = /authorization|cookie|token|secret|password|key/i;

/**
 * A definition as it may be shown: password hashes, certificates and the values of headers that hold credentials keep
 * their place and lose their content.
 */
export function redactDefinition(definition: ServiceDefinition): ServiceDefinition {
  const { users, serviceCert, addReqHeader, setReqHeader, addResHeader, setResHeader, ...rest } = definition;
  return {
    ...rest,
    ...(users === undefined
      ? {}
      : { users: users.map((user) => (user.passwordHash === undefined ? user : { ...user, passwordHash: '' })) }),
    ...(serviceCert === undefined ? {} : { serviceCert: '' }),
    ...(addReqHeader === undefined ? {} : { addReqHeader: redactHeaders(addReqHeader) }),
    ...(setReqHeader === undefined ? {} : { setReqHeader: redactHeaders(setReqHeader) }),
    ...(addResHeader === undefined ? {} : { addResHeader: redactHeaders(addResHeader) }),
    ...(setResHeader === undefined ? {} : { setResHeader: redactHeaders(setResHeader) }),
  };
}

function redactHeaders(rules: readonly HeaderRule[]): readonly HeaderRule[] {
  return rules.map((rule) => (credentialHeader.test(rule.name) ? { ...rule, value: '' } : rule));
}
