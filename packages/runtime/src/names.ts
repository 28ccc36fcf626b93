/** What `isName` takes, as it completes "expected …". */
export const nameExpected =
  'letters, digits, dot, underscore, hyphen, beginning with a letter or digit, no two dots in a row';

/**
 * Names of services, owners, instances, replicas and secrets. They are parts of keys and file names, so no `/`, and no `..`.
 * Docker's own service names all match.
 */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*$/.test(text);
}
