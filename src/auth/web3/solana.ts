import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeBase58 } from './base58.ts';
import type { WalletMessage } from './message.ts';

/** What stands before a raw Ed25519 key in its DER form. */
const ed25519Header = Buffer.from('302a300506032b6570032100', 'hex');
const keyBytes = 32;
const signatureBytes = 64;

function publicKey(address: string): { readonly key: KeyObject; readonly raw: Buffer } | null {
  const raw = decodeBase58(address);
  if (raw === null || raw.length !== keyBytes) return null;
  try {
    const key = createPublicKey({ key: Buffer.concat([ed25519Header, raw]), format: 'der', type: 'spki' });
    return { key, raw };
  } catch {
    // Not a point of the curve.
    return null;
  }
}

/** The form in which hardware wallets sign text. */
function ledgerForm(message: WalletMessage, key: Buffer, text: Buffer): Buffer {
  const domain = Buffer.alloc(32);
  domain.write(message.domain.slice(0, 32));
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([
    Buffer.of(0xff),
    Buffer.from('solana offchain'),
    Buffer.of(0),
    domain,
    Buffer.of(0, 1),
    key,
    length,
    text,
  ]);
}

/** Whether the wallet of the message's address signed it. */
export function isSignedBySolana(message: WalletMessage, signature: Buffer): boolean {
  const signer = publicKey(message.address);
  if (signer === null || signature.length !== signatureBytes) return false;
  const text = Buffer.from(message.raw);
  if (verify(null, text, signer.key, signature)) return true;
  return text.length <= 0xffff && verify(null, ledgerForm(message, signer.raw, text), signer.key, signature);
}
