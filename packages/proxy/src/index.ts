export type * from './routing/route-table.ts';
