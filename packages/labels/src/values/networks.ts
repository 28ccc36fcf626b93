import { parseNetwork } from '@swarmgate/runtime';
import { splitList } from './lists.ts';
import { not, ok, type Value } from './value.ts';

/** CIDRs; an address alone is the network of that one address. */
export const networks: Value<readonly string[]> = {
  parse: (raw, options) => {
    const found: string[] = [];
    for (const part of splitList(raw, options)) {
      const network = parseNetwork(part);
      if (network === undefined) return expected;
      found.push(`${network.address}/${network.bits}`);
    }
    return found.length === 0 ? expected : ok(found);
  },
  schema: (zod) => zod.array(zod.union([zod.cidrv4(), zod.cidrv6()])).min(1),
};

const expected = not('addresses or CIDRs such as 10.0.0.0/8,192.168.1.7');
