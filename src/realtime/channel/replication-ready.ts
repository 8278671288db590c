const readyMs = 60_000;

/** Waits until changes of the database reach this instance: false when that takes too long, or `ended` comes first. */
export async function isReadyInTime(
  ready: (signal: AbortSignal) => Promise<void>,
  ended: AbortSignal,
): Promise<boolean> {
  try {
    await ready(AbortSignal.any([ended, AbortSignal.timeout(readyMs)]));
    return true;
  } catch {
    // The signal is the only reason to reject.
    return false;
  }
}
