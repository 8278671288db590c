// A native library: loaded with the first password, since many starts see none.
const load = () => import('@node-rs/bcrypt');

/** Cost of new hashes; upstream's. */
const cost = 10;

/** Whether a stored hash is bcrypt's. */
export const isBcrypt = (stored: string): boolean => /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(stored);

/** Hashes on a thread of the pool, with the prefix that upstream stores; `$2b$` means the same. */
export async function bcryptHash(password: string): Promise<string> {
  const { hash } = await load();
  return (await hash(password, cost)).replace(/^\$2b\$/, '$2a$');
}

/** Compares on a thread of the pool; hashes of other makers (`$2b$`, `$2y$`) differ in the prefix only. */
export async function bcryptVerify(password: string, stored: string): Promise<boolean> {
  const { compare } = await load();
  return compare(password, stored);
}
