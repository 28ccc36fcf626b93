import { certificateReasons } from './certificate-reasons.ts';
import { labelReasons } from './label-reasons.ts';
import { servingReasons } from './serving-reasons.ts';

export { type ProblemPlace, problemPlaces } from './reason-entry.ts';

/** Every reason of a `Problem`: type and docs/problems.md derive from it. */
export const problemReasons = { ...labelReasons, ...servingReasons, ...certificateReasons } as const;

/** `acme-<type>`: the problem type of a CA in kebab-case (RFC 8555, section 6.7), or one of the proxy’s own. */
export type ProblemReason = keyof typeof problemReasons | `acme-${string}`;
