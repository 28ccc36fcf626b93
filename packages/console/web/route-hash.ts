/** Where the console is, as the fragment of its address: `#/services/manual/shop`, `#/explain?url=…`. */
export interface Place {
  readonly view: string;
  /** Parts behind the view, decoded. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

export const views = [
  'services',
  'explain',
  'problems',
  'live',
  'replicas',
  'certificates',
  'maintenance',
  'manual',
] as const;

export type View = (typeof views)[number];

export function readHash(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [view = '', ...rest] = path.split('/').map(decoded);
  return { view: view === '' ? 'services' : view, rest: rest.filter(Boolean), query: new URLSearchParams(query) };
}

export function hashOf(view: View, rest: readonly string[] = [], query: Readonly<Record<string, string>> = {}): string {
  const path = [view, ...rest].map(encodeURIComponent).join('/');
  const search = new URLSearchParams(query).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
