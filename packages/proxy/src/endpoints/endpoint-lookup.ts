import { isIPv6, type LookupFunction } from 'node:net';
import { sharing } from '@swarmgate/runtime';
import { type ResolveName, resolveBySystem } from './name-resolution.ts';

/**
 * Resolves the names of endpoints for connections that are opened before a name is known: all of them wait for one query,
 * and none takes a thread of the process while a DNS server is silent.
 *
 * @param resolve for tests
 */
export function endpointLookup(resolve: ResolveName = resolveBySystem): LookupFunction {
  return sharing((host, { all, family }, callback) => {
    const response = ({ addresses }: { readonly addresses: readonly string[] }) => {
      const found = addresses
        .map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
        .filter((each) => (family !== 4 && family !== 6) || each.family === family);
      const [first] = found;
      if (first === undefined) callback(noAddress(host), '', 4);
      else if (all === true) callback(null, found);
      else callback(null, first.address, first.family);
    };
    resolve(host).then(response, (error: NodeJS.ErrnoException) => callback(error, '', 4));
  });
}

function noAddress(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} has no address of the family that was requested`), { code: 'ENOTFOUND' });
}
