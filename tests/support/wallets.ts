import { generateKeyPairSync, sign } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** A wallet of a chain that signs what a test tells it to. */
export type Wallet = {
  readonly chain: 'solana' | 'ethereum';
  readonly name: string;
  readonly address: string;
  readonly network: string;
  readonly sign: (text: string) => string;
};

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function base58(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = (alphabet[Number(value % 58n)] ?? '') + text;
  return text;
}

/** A wallet with a fresh key. */
export function solanaWallet(): Wallet {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  // A key that begins with a zero byte needs a digit that this base58 leaves out.
  if (raw[0] === 0) return solanaWallet();
  return {
    chain: 'solana',
    name: 'Solana',
    address: base58(raw),
    network: 'solana:mainnet',
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

/** A wallet with a fresh key. */
export function ethereumWallet(): Wallet {
  const { secretKey } = secp256k1.keygen();
  const point = secp256k1.Point.fromBytes(secp256k1.getPublicKey(secretKey)).toBytes(false);
  return {
    chain: 'ethereum',
    name: 'Ethereum',
    address: `0x${Buffer.from(keccak_256(point.subarray(1)).subarray(12)).toString('hex')}`,
    network: '1',
    sign(text) {
      const head = `\x19Ethereum Signed Message:\n${Buffer.byteLength(text)}`;
      const digest = keccak_256(Buffer.from(head + text));
      const made = secp256k1.sign(digest, secretKey, { prehash: false, format: 'recovered' });
      // The library puts the recovery bit first, wallets last and with 27 added.
      return `0x${Buffer.from(made.subarray(1)).toString('hex')}${(27 + (made[0] ?? 0)).toString(16)}`;
    },
  };
}

/** What a message says; the defaults are those of a good one for `app.example.com`. */
export type Words = {
  readonly domain?: string;
  readonly uri?: string;
  readonly issuedAt?: number;
  readonly more?: readonly string[];
};
/** The message that a wallet signs to sign in. */
export const walletMessage = (
  wallet: Wallet,
  { domain = 'app.example.com', uri = `https://${domain}/`, ...rest }: Words = {},
) =>
  [
    `${domain} wants you to sign in with your ${wallet.name} account:`,
    wallet.address,
    '',
    'I accept the terms',
    '',
    `URI: ${uri}`,
    'Version: 1',
    `Chain ID: ${wallet.network}`,
    'Nonce: 12345678',
    `Issued At: ${new Date(rest.issuedAt ?? Date.now()).toISOString()}`,
    ...(rest.more ?? []),
  ].join('\n');
