export function buildConsole(): Promise<readonly string[]>;
