export {
  type Authorization,
  authorizeChange,
  authorizeRead,
  type Caller,
  carriesToken,
  isOwnName,
  openToAll,
  type ReadPolicy,
} from './authorization.ts';
export { type ControlGroupPaths, containerMemory, type MemoryUse } from './container-memory.ts';
export { descriptorLimit, descriptorsInUse } from './descriptors.ts';
export { messageOf, SwarmgateError, UsageError } from './errors.ts';
export { type GarbageCollector, garbageCollector } from './garbage-collector.ts';
export { type FaultOwner, guard, guardEach, guardOwned, guardPromise } from './guard.ts';
export { hostPort } from './host-port.ts';
export { backoffMs, longestTimerMs, pause, type Running, stopAll, stopOnce, timerMs } from './lifecycle.ts';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.ts';
export { isName, nameExpected } from './names.ts';
export { type Network, parseNetwork, plainAddress } from './networks.ts';
export { checkRegularFile, type RegularFileOptions, readRegularFile, readRegularFileSync } from './regular-file.ts';
export { createRepeatedLines, type RepeatedLines, type RepeatedLinesOptions } from './repeated-lines.ts';
export { createRepeatingLogger, type RepeatingLogger } from './repeating-logger.ts';
export { retryAfterMs } from './retry-after.ts';
export {
  type ExternalAccount,
  externalAccounts,
  type KnownDirectory,
  knownDirectories,
} from './settings/acme-directories.ts';
export { settingsCatalogue } from './settings/catalogue.ts';
export {
  findSettingsWithoutEffect,
  type SettingWithoutEffect,
  settingsWithoutEffect,
  warnOfSettingsWithoutEffect,
} from './settings/docker-flow-settings.ts';
export { findOtelSettingsWithoutEffect, warnOfOtelSettingsWithoutEffect } from './settings/otel-settings.ts';
export {
  boolean as parseBoolean,
  type EntrypointSetting,
  isTrue,
  type Parsed,
  type Parser,
} from './settings/parsers.ts';
export { openSettings, readSettings, type Settings, type SettingsSource } from './settings/read-settings.ts';
export type { Role, Setting } from './settings/setting.ts';
export { type LabelFamily, usualEntrypoints } from './settings/traefik-settings.ts';
export { shareLookups, sharing } from './shared-lookups.ts';
export { createSignal, type Signal } from './signal.ts';
export { type OutputStream, standardOutput } from './standard-output.ts';
export { LoopFaults, type TaskFault, Tasks, type TasksOptions } from './tasks.ts';
