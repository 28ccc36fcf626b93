import { type Network, parseNetwork } from '@swarmgate/runtime';
import ipaddr from 'ipaddr.js';

/** Whether an address is in a list. `::ffff:10.0.0.7` counts as 10.0.0.7. An invalid address is in no list. */
export type AddressList = (address: string) => boolean;

/** @param cidrs CIDRs or single addresses. Unreadable entries match no address. */
export function addressList(cidrs: readonly string[]): AddressList {
  const ranges = cidrs.flatMap((cidr) => parseNetwork(cidr) ?? []).map(rangeOf);
  if (ranges.length === 0) return () => false;
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && ranges.some((range) => address.kind() === range[0].kind() && address.match(range));
  };
}

/** `undefined`: not an address in full form; ipaddr.js also accepts `10.1`, which no proxy forwards. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const valid = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return valid ? ipaddr.process(text) : undefined;
}

function rangeOf({ address, bits }: Network): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  return [ipaddr.parse(address), bits];
}
