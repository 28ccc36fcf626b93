const LONGEST = 999;

/**
 * How specific a pattern of names is: the lower number comes first. One scale for hosts of requests and for server names of
 * TLS, so that a port that serves both can compare them: exact names, the longest endings, the longest beginnings, whole
 * labels anywhere, expressions, any name.
 */
export const nameRank = {
  exact: 0,
  ending: (text: string) => 1_000 + shortness(text),
  beginning: (text: string) => 2_000 + shortness(text),
  inside: (text: string) => 3_000 + shortness(text),
  expression: 4_000,
  any: 5_000,
};

function shortness(text: string): number {
  return LONGEST - Math.min(text.length, LONGEST);
}
