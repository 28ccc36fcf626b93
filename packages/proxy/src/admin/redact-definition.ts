import type { ServiceDefinition } from '@swarmgate/registry';

/** A definition as it may be shown: password hashes and certificates keep their place and lose their content. */
export function redactDefinition(definition: ServiceDefinition): ServiceDefinition {
  const { users, serviceCert, ...rest } = definition;
  return {
    ...rest,
    ...(users === undefined
      ? {}
      : { users: users.map((user) => (user.passwordHash === undefined ? user : { ...user, passwordHash: '' })) }),
    ...(serviceCert === undefined ? {} : { serviceCert: '' }),
  };
}
