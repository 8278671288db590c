import { err, ok, type Result } from '../../core/result.ts';
import { type GoUrl, goUrl } from './go-url.ts';

/** Chains whose wallets sign in. */
export type Chain = 'solana' | 'ethereum';

/** A message that a wallet signed: EIP-4361, or its sibling of Solana. */
export type WalletMessage = {
  readonly raw: string;
  readonly domain: string;
  readonly address: string;
  readonly statement: string;
  readonly uri: URL;
  /** The same as upstream writes it into its log. */
  readonly auditedUri: GoUrl;
  readonly chainId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly notBeforeMs: number | null;
};

type Dialect = {
  readonly prefix: string;
  readonly header: string;
  readonly address: RegExp;
  readonly addressProblem: string;
  readonly isNetwork: (network: string) => boolean;
};

const dialects: Readonly<Record<Chain, Dialect>> = {
  solana: {
    prefix: 'siws',
    header: ' wants you to sign in with your Solana account:',
    address: /^[a-zA-Z0-9]{32,44}$/,
    addressProblem: 'wallet address is not in base58 format',
    isNetwork: (network) => network === '' || /^solana:(main|dev|test|local)net$/.test(network),
  },
  ethereum: {
    prefix: 'siwe',
    header: ' wants you to sign in with your Ethereum account:',
    address: /^0x[a-fA-F0-9]{40}$/,
    addressProblem: 'wallet address is not a valid Ethereum address',
    isNetwork: (network) => /^[+]?\d+$/.test(network) && Number(network) > 0,
  },
};

const domainShape =
  /^(localhost|(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,})(?::\d{1,5})?$/;
const timeShape = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

const timeOf = (value: string): number => (timeShape.test(value) ? Date.parse(value) : Number.NaN);

/**
 * Reads a message of a chain; the error is upstream's text for the first thing that is wrong.
 * Upstream: internal/utilities/siws/parser.go, internal/utilities/siwe/parser.go.
 */
export function parseWalletMessage(chain: Chain, raw: string): Result<WalletMessage, string> {
  const dialect = dialects[chain];
  const wrong = (problem: string) => err(`${dialect.prefix}: ${problem}`);
  const lines = raw.split('\n');
  const [header = '', addressLine = '', third = '', fourth = '', fifth = ''] = lines;
  if (lines.length < 6) return wrong('message needs at least 6 lines');
  if (!header.endsWith(dialect.header))
    return wrong(`message first line does not end in "${dialect.header}"`);
  const domain = header.slice(0, -dialect.header.length).trim();
  if (!domainShape.test(domain)) return wrong('domain in first line of message is not valid');
  const address = addressLine.trim();
  if (!dialect.address.test(address)) return wrong(dialect.addressProblem);
  if (third !== '') return wrong('third line must be empty');
  const hasStatement = fourth !== '' && fifth === '';
  const fields = readFields(lines, hasStatement ? 5 : 3);
  if (!fields.ok) return wrong(fields.error);
  const checked = checkFields(fields.value, dialect);
  if (!checked.ok) return wrong(checked.error);
  return ok({ raw, domain, address, statement: hasStatement ? fourth : '', ...checked.value });
}

/** The lines `Name: value` after the statement; resources are checked and dropped. */
function readFields(lines: readonly string[], start: number): Result<ReadonlyMap<string, string>, string> {
  const fields = new Map<string, string>();
  let resources = -1;
  for (let i = start; i < lines.length; i++) {
    const line = (lines[i] ?? '').trim();
    if (resources >= 0 && line.startsWith('- ')) {
      if (!URL.canParse(line.slice(2).trim()))
        return err(`Resource at position ${resources} has invalid URI`);
      resources++;
      continue;
    }
    resources = line === 'Resources:' ? 0 : -1;
    if (line === '' || resources === 0) continue;
    const colon = line.indexOf(':');
    if (colon < 0) return err(`encountered unparsable line at index ${i}`);
    fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return ok(fields);
}

type Facts = Omit<WalletMessage, 'raw' | 'domain' | 'address' | 'statement'>;

function checkFields(fields: ReadonlyMap<string, string>, dialect: Dialect): Result<Facts, string> {
  const uri = fields.get('URI');
  if (uri !== undefined && !URL.canParse(uri)) return err('URI is not valid');
  const chainId = fields.get('Chain ID');
  if (chainId !== undefined && !dialect.isNetwork(chainId)) return err('Chain ID is not valid');
  const times = new Map<string, number>();
  for (const name of ['Issued At', 'Expiration Time', 'Not Before']) {
    const value = fields.get(name);
    if (value === undefined) continue;
    if (Number.isNaN(timeOf(value))) return err(`${name} is not a valid ISO8601 timestamp`);
    times.set(name, timeOf(value));
  }
  const version = fields.get('Version') ?? '';
  if (version !== '1') {
    return err(`Version value is not supported, expected 1 got ${JSON.stringify(version)}`);
  }
  const issuedAtMs = times.get('Issued At');
  const expiresAtMs = times.get('Expiration Time') ?? null;
  const notBeforeMs = times.get('Not Before') ?? null;
  if (issuedAtMs === undefined) return err('Issued At is not specified');
  if (uri === undefined) return err('URI is not specified');
  if (expiresAtMs !== null && issuedAtMs > expiresAtMs) return err('Issued At is after Expiration Time');
  if (notBeforeMs !== null && expiresAtMs !== null && notBeforeMs > expiresAtMs) {
    return err('Not Before is after Expiration Time');
  }
  return ok({
    uri: new URL(uri),
    auditedUri: goUrl(uri),
    chainId: chainId ?? '',
    issuedAtMs,
    expiresAtMs,
    notBeforeMs,
  });
}
