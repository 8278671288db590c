/**
 * The outcome of work, or of `tooLate` once its time is over; 0 waits on. Work that is late goes on by itself, as what
 * it changed may be committed already.
 */
export async function inTime<T>(ms: number, work: Promise<T>, tooLate: () => T | Promise<T>): Promise<T> {
  if (ms === 0) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    const first = await Promise.race([work, late]);
    if (first !== 'late') return first as T;
    return await tooLate();
  } finally {
    clearTimeout(timer);
  }
}
