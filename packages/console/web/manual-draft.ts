import { signal } from '@preact/signals';
import type { Definition } from './types.ts';

/** What is written under “Add a service” and not saved yet: kept while another view, or the login, is shown. */
export const draft = {
  name: signal(''),
  host: signal(''),
  path: signal('/'),
  address: signal(''),
  /** `undefined`: the form is shown. */
  json: signal<string | undefined>(undefined),
};

/** Once it is saved, and at a logout: the next login may be another person's. */
export function clearDraft(): void {
  for (const field of [draft.name, draft.host, draft.address]) field.value = '';
  draft.path.value = '/';
  draft.json.value = undefined;
}

export type Given =
  | { readonly ok: true; readonly definition: Definition }
  | { readonly ok: false; readonly message: string };

export interface FormFields {
  readonly name: string;
  readonly host: string;
  readonly path: string;
  /** `10.0.0.7:8080` */
  readonly address: string;
}

/** The definition of the form's fields. The proxy checks it; here it only has to have a port. */
export function fromForm(fields: FormFields): Given {
  const definition = definitionOf(fields);
  return /:\d+$/.test(fields.address.trim())
    ? { ok: true, definition }
    : { ok: false, message: 'The address of the service needs a port: 10.0.0.7:8080' };
}

const example = {
  service: 'shop',
  destinations: [{ serviceDomain: ['shop.example'], servicePath: ['/'], outboundHostname: '10.0.0.7', port: 8080 }],
};

/** The form's fields as JSON, complete or not; where nothing is written, an example. */
export function asJson(fields: FormFields): string {
  const isEmpty = [fields.name, fields.host, fields.address].every((each) => each.trim() === '');
  return JSON.stringify(isEmpty ? example : definitionOf(fields), null, 2);
}

function definitionOf({ name, host, path, address }: FormFields): Definition {
  const [, outboundHostname = '', port] = /^(.*?)(?::(\d+))?$/s.exec(address.trim()) ?? [];
  const destination = {
    ...(host.trim() === '' ? {} : { serviceDomain: [host.trim()] }),
    servicePath: [path.trim() || '/'],
    outboundHostname,
    ...(port === undefined ? {} : { port: Number(port) }),
  };
  return { service: name.trim(), destinations: [destination] };
}

export function parsed(json: string): Given {
  try {
    const definition: unknown = JSON.parse(json);
    if (typeof definition === 'object' && definition !== null && 'service' in definition)
      return { ok: true, definition: definition as Definition };
    return { ok: false, message: 'The definition has no field `service`' };
  } catch (error) {
    return { ok: false, message: `This is not JSON: ${(error as Error).message}` };
  }
}
