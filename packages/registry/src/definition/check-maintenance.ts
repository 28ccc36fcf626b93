import { controlCharacterIn, networks, type Problem } from '@swarmgate/labels';
import { z } from 'zod';
import { type ExpectedPlace, misplaced, problemsOf } from './check-definition.ts';
import { nameSchema } from './definition-schema.ts';
import { type MaintenanceDocument, maintenanceBounds } from './maintenance-document.ts';

export type MaintenanceCheck =
  | { readonly ok: true; readonly document: MaintenanceDocument }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const instant = z.iso.datetime();
const author = z.string().min(1).max(300);
const host = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._:-]+$/, 'expected a host name or an address');
const isPageSized = (page: string) => Buffer.byteLength(page) <= maintenanceBounds.pageBytes;

/** How requests are served meanwhile: the part of the document that operators write. */
export const maintenancePageShape = {
  message: z.string().min(1).max(maintenanceBounds.messageCharacters).exactOptional(),
  page: z.string().min(1).refine(isPageSized, `expected at most ${maintenanceBounds.pageBytes} bytes`).exactOptional(),
  retryAfterMs: z.int().min(1_000).max(maintenanceBounds.retryAfterMs).exactOptional(),
  except: networks.schema(z).refine(hasFewNetworks, `expected at most ${maintenanceBounds.exceptions}`).exactOptional(),
};

const schema = z.object({
  version: z.literal(1),
  service: nameSchema,
  owner: nameSchema,
  maintenance: z
    .object({ by: author, since: instant, until: instant.exactOptional(), ...maintenancePageShape })
    .exactOptional(),
  drains: z
    .array(
      z.object({
        host,
        port: z.int().min(1).max(65_535).exactOptional(),
        taskId: z.string().min(1).max(256).exactOptional(),
        by: author,
        since: instant,
        tunnelsUntil: instant.exactOptional(),
      }),
    )
    .max(maintenanceBounds.drains)
    .exactOptional(),
  ended: z
    .array(
      z.object({
        endpoint: z.string().max(300).exactOptional(),
        by: author,
        since: instant,
        endedAt: instant,
        endedBy: author,
      }),
    )
    .max(maintenanceBounds.ended)
    .exactOptional(),
});

/** As `checkDefinition`, for the maintenance document of a service. Never throws. Unknown fields are dropped. */
export function checkMaintenance(json: unknown, expected: ExpectedPlace): MaintenanceCheck {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, json).map(ofMaintenance) };
  const document: MaintenanceDocument = parsed.data;
  const problems = [...misplaced(document, expected), ...withControlCharacters(document)];
  return problems.length > 0 ? { ok: false, problems: problems.map(ofMaintenance) } : { ok: true, document };
}

function hasFewNetworks(list: readonly string[]): boolean {
  return list.length <= maintenanceBounds.exceptions;
}

/** A page has lines; nothing else may hold a control character: it stands in headers, logs and terminals. */
function withControlCharacters(document: MaintenanceDocument): readonly Problem[] {
  const page = document.maintenance?.page?.replace(/[\t\r\n]/g, ' ');
  const lines = page === undefined ? document : { ...document, maintenance: { ...document.maintenance, page } };
  const path = controlCharacterIn(lines);
  if (path === undefined) return [];
  const where = path.join('.');
  const message = `${where} holds a control character`;
  return [
    { severity: 'error', reason: 'maintenance-invalid', message, label: where, suggestion: `take it out of ${where}` },
  ];
}

function ofMaintenance(problem: Problem): Problem {
  const { label } = problem;
  return {
    ...problem,
    reason: 'maintenance-invalid',
    message: `in the maintenance document ${problem.message}`,
    suggestion: `correct ${label ?? 'it'}, or set it again with swarmgate maintenance`,
  };
}
