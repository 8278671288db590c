import { createCipheriv, scrypt, timingSafeEqual } from 'node:crypto';

/*
 * Firebase's variant of scrypt: `$fbscrypt$v=1,n=14,r=8,p=1,ss=<separator>,sk=<signer key>$<salt>$<hash>`.
 * The derived key encrypts the project's signer key, and the cipher text is the hash.
 */

const shape =
  /^\$fbscrypt\$v=1,n=(\d+),r=(\d+),p=(\d+)(?:,ss=([A-Za-z0-9+/=]*))?,sk=([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;
const maxLogCost = 20;
const keyBytes = 32;

type Parsed = {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly signerKey: Buffer;
  readonly hash: Buffer;
};

function parse(stored: string): Parsed | null {
  const match = shape.exec(stored);
  if (match === null || Number(match[1]) > maxLogCost) return null;
  const bytes = (i: number): Buffer => Buffer.from(match[i] ?? '', 'base64');
  return {
    cost: 2 ** Number(match[1]),
    blockSize: Number(match[2]),
    parallelization: Number(match[3]),
    salt: Buffer.concat([bytes(6), bytes(4)]),
    signerKey: bytes(5),
    hash: bytes(7),
  };
}

/** Whether a stored hash is one of Firebase's. */
export const isFirebaseScrypt = (stored: string): boolean => parse(stored) !== null;

/** Compares on a thread of the pool. */
export async function firebaseScryptVerify(password: string, stored: string): Promise<boolean> {
  const parsed = parse(stored);
  if (parsed === null) return false;
  const key = await deriveKey(password, parsed);
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const made = Buffer.concat([cipher.update(parsed.signerKey), cipher.final()]);
  return made.length === parsed.hash.length && timingSafeEqual(made, parsed.hash);
}

function deriveKey(password: string, parsed: Parsed): Promise<Buffer> {
  const { cost, blockSize, parallelization, salt } = parsed;
  const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
