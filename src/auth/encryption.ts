import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { z } from 'zod';
import type { Random } from '../core/clock.ts';
import type { AuthConfig } from './deps.ts';

/** Encrypts and decrypts single columns; a value that is not encrypted passes through. */
export interface ColumnEncryption {
  /** The form in which a secret of the row is stored: encrypted when the configuration says so. */
  seal(rowId: string, plain: string): string;
  /** The plain value. Throws when it was encrypted with a key that the configuration does not have. */
  open(rowId: string, stored: string): string;
  /** The form with the key in use now of a value that was stored otherwise; null when it needs no change. */
  reseal(rowId: string, stored: string): string | null;
}

const sealed = z.object({
  key_id: z.string().min(1),
  alg: z.literal('aes-gcm-hkdf'),
  data: z.string().min(1),
  nonce: z.string(),
});

type Sealed = z.infer<typeof sealed>;

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

function parseSealed(stored: string): Sealed | null {
  if (!stored.startsWith('{')) return null;
  try {
    return sealed.parse(JSON.parse(stored));
  } catch {
    // Anything that is not of the form was stored as it is.
    return null;
  }
}

const rowKey = (key: string, rowId: string): Buffer =>
  Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64url'), Buffer.alloc(0), rowId, 32));

/** Encrypts one value of a row. */
function sealColumn(keyId: string, key: string, rowId: string, plain: string, nonce: Buffer): string {
  const cipher = createCipheriv(algorithm, rowKey(key, rowId), nonce);
  const data = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return JSON.stringify({
    key_id: keyId,
    alg: 'aes-gcm-hkdf',
    data: data.toString('base64'),
    nonce: nonce.toString('base64'),
  });
}

function openColumn(value: Sealed, key: string, rowId: string): string {
  const data = Buffer.from(value.data, 'base64');
  const decipher = createDecipheriv(algorithm, rowKey(key, rowId), Buffer.from(value.nonce, 'base64'));
  decipher.setAuthTag(data.subarray(-tagBytes));
  return Buffer.concat([decipher.update(data.subarray(0, -tagBytes)), decipher.final()]).toString();
}

/**
 * The encryption of the configuration.
 * Upstream: internal/crypto/crypto.go (EncryptedString).
 */
export function createColumnEncryption(config: AuthConfig, random: Random): ColumnEncryption {
  const { encryptionKeyId: keyId, encryptionKey: key } = config;
  const isOn = config.encryptionEnabled && keyId !== null && key !== null;
  const known: Readonly<Record<string, string>> = {
    ...config.decryptionKeys,
    ...(keyId !== null && key !== null ? { [keyId]: key } : {}),
  };
  const seal = (rowId: string, plain: string): string =>
    isOn ? sealColumn(keyId, key, rowId, plain, random.bytes(nonceBytes)) : plain;
  const open = (rowId: string, stored: string): string => {
    const value = parseSealed(stored);
    if (value === null) return stored;
    const found = known[value.key_id];
    if (found === undefined)
      throw new RangeError(`no decryption key is named ${JSON.stringify(value.key_id)}`);
    return openColumn(value, found, rowId);
  };
  return {
    seal,
    open,
    reseal(rowId, stored) {
      const isCurrent = !isOn || parseSealed(stored)?.key_id === keyId;
      return isCurrent || stored === '' ? null : seal(rowId, open(rowId, stored));
    },
  };
}
