import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes folders and file names durable. */
export interface DirectorySync {
  /** Makes a folder (its parent exists) and flushes the parent. */
  make(path: string): Promise<void>;
  /** Flushes the names in a folder, which is kept open: for the few folders that stay. */
  flush(path: string): Promise<void>;
  /** Flushes the names in a folder that comes and goes. */
  flushOnce(path: string): Promise<void>;
  /** Flushes a file's bytes and length. */
  flushFile(handle: FileHandle): Promise<void>;
  close(): Promise<void>;
}

/**
 * Flushes folders through handles that stay open: there are few folders, and opening one costs as much as the write
 * of a small blob. `isDurable: false` flushes nothing.
 */
export function createDirectorySync(isDurable: boolean): DirectorySync {
  const handles = new Map<string, Promise<FileHandle>>();
  const handleOf = (path: string): Promise<FileHandle> => {
    const known = handles.get(path);
    if (known !== undefined) return known;
    const opened = open(path, 'r');
    handles.set(path, opened);
    opened.catch(() => handles.delete(path));
    return opened;
  };
  const flush = async (path: string): Promise<void> => {
    if (isDurable) await (await handleOf(path)).sync();
  };
  const flushOnce = async (path: string): Promise<void> => {
    if (!isDurable) return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  return {
    flush,
    flushOnce,
    async make(path) {
      const made = await mkdir(path, { recursive: true, mode: 0o700 });
      if (made !== undefined) await flushOnce(dirname(path));
    },
    async flushFile(handle) {
      if (isDurable) await handle.datasync();
    },
    async close() {
      const opened = [...handles.values()];
      handles.clear();
      for (const handle of opened) await (await handle).close();
    },
  };
}
