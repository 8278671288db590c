import type { Handler } from '../../http/exchange.ts';

/** Holds requests back until the first attempt to load the schema cache has ended. */
export interface FirstLoad {
  /** Lets everything through from now on. */
  open(): void;
  /** The handler, with its requests held back as long as they have to be. */
  guard(handler: Handler): Handler;
}

/** How long requests are held back at most. */
const patienceMs = 2_000;

/** Creates the gate; it opens by itself after two seconds. */
export function awaitFirstLoad(): FirstLoad {
  let isOpen = false;
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    const patience = setTimeout(() => open(), patienceMs);
    patience.unref();
    open = () => {
      clearTimeout(patience);
      isOpen = true;
      resolve();
    };
  });
  return {
    open: () => open(),
    guard: (handler) => (request) => (isOpen ? handler(request) : opened.then(() => handler(request))),
  };
}
