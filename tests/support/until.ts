/** Resolves when the condition holds, which is looked at every few milliseconds; rejects after a while. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
  pauseMs = 10,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`this does not become true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
