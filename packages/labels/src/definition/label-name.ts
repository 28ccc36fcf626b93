/** `servicePath.2` for an indexed destination, `servicePath` for the un-indexed one. */
export function labelName(name: string, destination: { readonly index: number }): string {
  return destination.index === 0 ? name : `${name}.${destination.index}`;
}
