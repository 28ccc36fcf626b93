/**
 * One piece of work for all callers that come while it is under way: calls that come more often than it can be done do not pile
 * up. The result is not kept.
 */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
