import { join } from 'node:path';
import type { Config } from '../config/load.ts';

/** Folder of everything that an instance keeps: database, files, keys. */
export const stateDir = (projectDir: string): string => join(projectDir, '.ownbase');

/** Folder of the filesystem object store. */
export const storageDir = (config: Config): string =>
  config.storage.path ?? join(stateDir(config.projectDir), 'storage');
