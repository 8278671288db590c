import type { WalletMessage } from './message.ts';

const signatureBytes = 65;

/** Whether the wallet of the message's address signed it; `signature` is hex with or without `0x`. */
export async function isSignedByEthereum(message: WalletMessage, signature: string): Promise<boolean> {
  const bytes = Buffer.from(signature.replace(/^0x/, ''), 'hex');
  if (bytes.length !== signatureBytes) return false;
  const [{ secp256k1 }, { keccak_256 }] = await Promise.all([
    import('@noble/curves/secp256k1.js'),
    import('@noble/hashes/sha3.js'),
  ]);
  const text = Buffer.from(message.raw);
  const digest = keccak_256(
    Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${text.length}`), text]),
  );
  const last = bytes[64] ?? 0;
  // The library wants the recovery bit first; wallets write it last, some with 27 added.
  const recovered = Buffer.concat([Buffer.of(last >= 27 ? last - 27 : last), bytes.subarray(0, 64)]);
  try {
    const compressed = secp256k1.recoverPublicKey(recovered, digest, { prehash: false });
    const point = secp256k1.Point.fromBytes(compressed).toBytes(false);
    const address = Buffer.from(keccak_256(point.subarray(1)).subarray(12)).toString('hex');
    return `0x${address}` === message.address.toLowerCase();
  } catch {
    // A signature that no key could have made.
    return false;
  }
}
