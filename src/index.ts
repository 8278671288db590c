/**
 * The package's API: build an app on a database that is ready, in a process of your own. The command line is built on
 * the same parts.
 */
export { type App, type AppAddresses, type AppInput, startApp } from './app/app.ts';
export { type PreparedDatabase, type PrepareEvent, prepareDatabase } from './app/prepare-database.ts';
export { type Config, ConfigError, type LoadedConfig, type LoadOptions, loadConfig } from './config/load.ts';
export type { Observation, Observer } from './core/observe.ts';
export { type InstanceKeys, loadInstanceKeys } from './identity/instance-keys.ts';
