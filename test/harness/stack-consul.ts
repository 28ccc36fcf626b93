import { send, type TestRequest } from './http.ts';

/** A stack's Consul through `docker/consul-ui.sh`, as an operator reaches it. */
export interface StackConsul {
  readonly url: string;
  /** May everything: what an operator logs in with. Empty for a Consul without ACLs. */
  readonly token: string;
  /** The value below the stack's prefix, or `undefined`. */
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  keys(prefix: string): Promise<readonly string[]>;
  /** The value of a key that is held as a lock: the name of its holder. */
  lockHolder(key: string): Promise<string | undefined>;
  /** The index of a key's last write. */
  modifyIndex(key: string): Promise<number>;
}

export function stackConsul(url: string, prefix: string, token = ''): StackConsul {
  const kv = (key: string, query = '') => `${url}/v1/kv/${prefix}/${key}${query}`;
  const expect = async (what: TestRequest, ...statuses: readonly number[]) => {
    const response = await send({ ...what, headers: token === '' ? {} : { 'x-consul-token': token } });
    if (!statuses.includes(response.status)) throw new Error(`${what.url}: ${response.status} ${response.body}`);
    return response;
  };
  return {
    url,
    token,
    get: async (key) => {
      const response = await expect({ url: kv(key, '?raw') }, 200, 404);
      return response.status === 200 ? response.body : undefined;
    },
    put: async (key, value) => {
      await expect({ url: kv(key), method: 'PUT', body: value }, 200);
    },
    delete: async (key) => {
      await expect({ url: kv(key), method: 'DELETE' }, 200);
    },
    keys: async (below) => {
      const response = await expect({ url: kv(below, '?keys') }, 200, 404);
      if (response.status === 404) return [];
      return (JSON.parse(response.body) as string[]).map((key) => key.slice(prefix.length + 1));
    },
    lockHolder: async (key) => {
      const response = await expect({ url: kv(key) }, 200, 404);
      if (response.status === 404) return undefined;
      const [entry] = JSON.parse(response.body) as { readonly Session?: string; readonly Value: string | null }[];
      if (entry?.Session === undefined || entry.Value === null) return undefined;
      return Buffer.from(entry.Value, 'base64').toString('utf8');
    },
    modifyIndex: async (key) => {
      const response = await expect({ url: kv(key) }, 200);
      return (JSON.parse(response.body) as { readonly ModifyIndex: number }[])[0]?.ModifyIndex ?? 0;
    },
  };
}
