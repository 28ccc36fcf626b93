export type * from './admin/answers.ts';
export type * from './routing/route-table.ts';
