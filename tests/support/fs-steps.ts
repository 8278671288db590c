import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Lets a test stand before every step that changes files below a folder: it may throw there, or end the process.
 */

/** Is asked before each step; what it throws is what the step fails with. */
type OnStep = (step: string) => void;

/** Which of a function's arguments are paths that it changes. */
const changing = { mkdir: 1, rename: 2, link: 2, copyFile: 2, unlink: 1, rm: 1 } as const;
const ofHandles = ['write', 'datasync', 'sync', 'truncate'] as const;

type Function_ = (...all: unknown[]) => Promise<unknown>;
type Patched = Record<string, Function_>;

/** Watches the steps below a folder until the function that it yields is called. */
export async function watchSteps(folder: string, onStep: OnStep): Promise<() => void> {
  const module = fs as unknown as Patched;
  const restore: (() => void)[] = [];
  const replace = (target: Patched, name: string, make: (original: Function_) => Function_): void => {
    const original = target[name] as Function_;
    target[name] = make(original);
    restore.push(() => {
      target[name] = original;
    });
  };
  const isBelow = (path: unknown): boolean => String(path).startsWith(folder);
  const watched = new WeakSet<object>();
  for (const [name, count] of Object.entries(changing)) {
    replace(module, name, (original) => async (...all) => {
      if (all.slice(0, count).some(isBelow)) onStep(name);
      return original(...all);
    });
  }
  replace(module, 'open', (original) => async (...all) => {
    const creates = all[1] === 'wx' || (typeof all[1] === 'number' && (all[1] & fs.constants.O_CREAT) !== 0);
    if (isBelow(all[0]) && creates) onStep('open');
    const handle = (await original(...all)) as object;
    if (isBelow(all[0])) watched.add(handle);
    return handle;
  });
  const probe: FileHandle = await fs.open('/dev/null');
  const prototype = Object.getPrototypeOf(probe) as Patched;
  await probe.close();
  for (const name of ofHandles) {
    replace(
      prototype,
      name,
      (original) =>
        async function (this: object, ...all: unknown[]) {
          if (watched.has(this)) onStep(name);
          return original.apply(this, all);
        },
    );
  }
  syncBuiltinESMExports();
  return () => {
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  };
}
