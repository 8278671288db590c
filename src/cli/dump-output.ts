import { type FileHandle, open } from 'node:fs/promises';

/** Where a dump goes. */
export type DumpOutput = {
  /** Resolves when more may come; rejects with what the system refuses. */
  write(text: string): Promise<void>;
  end(): Promise<void>;
};

const CHUNK_LENGTH = 65_536;

/** Opens a file, or standard output for undefined. Rejects where the file cannot be made. */
export async function openDumpOutput(path: string | undefined): Promise<DumpOutput> {
  return path === undefined ? standardOutput : intoFile(await open(path, 'w'));
}

/** A reader that went away (`| head`) gets the rest in vain. */
const standardOutput: DumpOutput = {
  write: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  end: async () => {},
};

/** Writes in chunks, since pg_dump's lines come one by one. */
function intoFile(file: FileHandle): DumpOutput {
  let pending = '';
  const flush = async (): Promise<void> => {
    const text = pending;
    pending = '';
    await file.writeFile(text);
  };
  return {
    async write(text) {
      pending += text;
      if (pending.length >= CHUNK_LENGTH) await flush();
    },
    async end() {
      try {
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}
