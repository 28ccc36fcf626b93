import type { Problem } from '@swarmgate/labels';
import { z } from 'zod';
import { nameSchema } from './definition-schema.ts';
import type { EndpointsDocument } from './endpoints-document.ts';

const port = z.int().min(1).max(65_535);
/** What a name in DNS or an address can be made of (RFC 1123, section 2.1; RFC 4291, section 2.2), underscores included. */
const host = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._:[\]-]+$/, 'expected a host name or an address');
const dnsName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._-]+$/, 'expected a name that DNS can hold');
const cidr = z.union([z.cidrv4(), z.cidrv6()]);
/** Docker's ids and names; shown to people, and part of endpoint ids and sticky cookies. */
const identifier = z
  .string()
  .max(256)
  .regex(/^[\x21-\x7e]*$/, 'expected visible ASCII characters');

/** What has to be right for any of the document to be used. */
const documentSchema = z.object({
  version: z.literal(1),
  service: nameSchema,
  owner: nameSchema,
  dnsName,
  tasks: z.array(z.unknown()),
  published: z.array(z.unknown()),
  vip: z.unknown().optional(),
  network: z.unknown().optional(),
  tasksOnly: z.unknown().optional(),
});

const taskSchema = z.object({
  taskId: identifier.min(1),
  nodeId: identifier,
  state: z.enum(['active', 'draining']),
  addresses: z.array(z.unknown()),
});
const publishedSchema = z.object({ host, port, targetPort: port });
const networkSchema = identifier.min(1);

/** More than these are no single mistakes, and problems go into a value of bounded size. */
const mostWarnings = 20;

export type EndpointsRead =
  | { readonly ok: true; readonly endpoints: EndpointsDocument; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly error: z.ZodError };

/** An endpoints document without its parts that cannot be used, and a warning for each of those. Never throws. */
export function readEndpoints(json: unknown): EndpointsRead {
  const document = documentSchema.safeParse(json);
  if (!document.success) return { ok: false, error: document.error };
  const { version, service, owner, dnsName: name } = document.data;
  const warnings: Problem[] = [];
  const usable = <T>(schema: z.ZodType<T>, value: unknown, where: string): readonly [T] | readonly [] => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return [parsed.data];
    if (warnings.length < mostWarnings) warnings.push(leftOut(where, value, parsed.error));
    return [];
  };
  const tasks = eachOf(document.data.tasks, (each, at) =>
    usable(taskSchema, each, `tasks.${at}`).map((task) => ({
      ...task,
      addresses: eachOf(task.addresses, (address, n) => usable(cidr, address, `tasks.${at}.addresses.${n}`)),
    })),
  );
  const published = eachOf(document.data.published, (each, at) => usable(publishedSchema, each, `published.${at}`));
  const optional = <T>(schema: z.ZodType<T>, value: unknown, where: string) =>
    value === undefined ? undefined : usable(schema, value, where)[0];
  const vip = optional(cidr, document.data.vip, 'vip');
  const network = optional(networkSchema, document.data.network, 'network');
  const endpoints: EndpointsDocument = {
    version,
    service,
    owner,
    dnsName: name,
    tasks,
    published,
    ...(vip === undefined ? {} : { vip }),
    ...(network === undefined ? {} : { network }),
    // It restricts: what is no plain `false` counts.
    ...((document.data.tasksOnly ?? false) === false ? {} : { tasksOnly: true }),
  };
  return { ok: true, endpoints, warnings };
}

/** As `flatMap`, whose lists keep room for 17 values: a service has one or two of each, and documents stay. */
function eachOf<T>(values: readonly unknown[], read: (value: unknown, at: number) => readonly T[]): readonly T[] {
  return values.flatMap(read).slice();
}

function leftOut(where: string, value: unknown, error: z.ZodError): Problem {
  const [issue] = error.issues;
  const field = issue === undefined || issue.path.length === 0 ? where : `${where}.${issue.path.join('.')}`;
  const shown = typeof value === 'string' ? JSON.stringify(value).slice(0, 100) : undefined;
  return {
    severity: 'warning',
    reason: 'endpoint-unusable',
    message: `${field} in the endpoints document cannot be used and is left out: ${issue?.message ?? 'it is not valid'}`,
    label: field,
    ...(shown === undefined ? {} : { value: shown }),
    suggestion: `correct ${field}, or publish the service again`,
  };
}
