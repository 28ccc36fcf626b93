import type { RegistryError } from '../src/registry-error.ts';
import type { KeyValueStore } from '../src/store/key-value-store.ts';

/** The store, with a callback before each call that may make it fail. */
export function observed(
  store: KeyValueStore,
  see: (method: string) => Promise<RegistryError | undefined>,
): KeyValueStore {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return async (...parameters: unknown[]) => {
        const before = await see(String(property));
        if (before !== undefined) throw before;
        const response: unknown = await value.apply(target, parameters);
        const after = property.toString().startsWith('wait') ? await see('woken') : undefined;
        if (after !== undefined) throw after;
        return response;
      };
    },
  });
}
