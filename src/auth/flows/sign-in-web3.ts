import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { web3Failure } from '../failures/web3.ts';
import type { JsonObject } from '../store/rows.ts';
import { isSignedByEthereum } from '../web3/ethereum.ts';
import { type Chain, parseWalletMessage, type WalletMessage } from '../web3/message.ts';
import { isSignedBySolana } from '../web3/solana.ts';
import { callAfterExternal, callBeforeExternal, type External, settleExternal } from './external-account.ts';
import { runFlow } from './flow.ts';
import { beginSession } from './session.ts';

/** A signed message as an app sends it. */
export type WalletRequest = { readonly chain: string; readonly message: string; readonly signature: string };

const minMessageBytes = 64;
const maxMessageBytes = 20 * 1024;

const names: Readonly<Record<Chain, string>> = { solana: 'Solana', ethereum: 'Ethereum' };

const refuse = (description: string): OAuthError => new OAuthError('invalid_grant', description);

/**
 * Signs in by a message that a wallet signed.
 * Upstream: internal/api/web3.go.
 */
export async function signInWithWallet(
  context: AuthContext,
  call: Call,
  read: () => Promise<WalletRequest>,
): Promise<JsonObject> {
  const { config } = context;
  if (!config.web3Solana && !config.web3Ethereum) throw web3Failure.disabled();
  const request = await read();
  const chain = demandChain(context, request.chain);
  const message = await demandSigned(chain, request);
  demandForThisApp(context, names[chain], message);
  const maxAgeMs = chain === 'solana' ? config.web3SolanaMaxAgeMs : config.web3EthereumMaxAgeMs;
  demandTimely(names[chain], message, context.clock.now(), maxAgeMs);
  const external: External = { provider: 'web3', user: userOf(chain, message), isEmailOptional: true };
  await callBeforeExternal(context, call, external);
  const { outcome, session } = await runFlow(context, call, async (flow) => {
    const settled = await settleExternal(context, flow, external);
    await context.audit.record(flow.tx, settled.user, 'login', {
      provider: 'web3',
      chain,
      network: message.chainId,
      address: message.address,
      domain: message.domain,
      uri: message.auditedUri,
    });
    return { outcome: settled, session: await beginSession(context, flow, settled.user, 'web3') };
  });
  if (outcome.isNew) await callAfterExternal(context, call, outcome, session);
  return session;
}

function demandChain({ config }: AuthContext, chain: string): Chain {
  if (chain === 'solana') {
    if (!config.web3Solana) throw web3Failure.solanaDisabled();
    return chain;
  }
  if (chain !== 'ethereum') throw web3Failure.unsupportedChain();
  if (!config.web3Ethereum) throw web3Failure.ethereumDisabled();
  return chain;
}

async function demandSigned(chain: Chain, { message, signature }: WalletRequest): Promise<WalletMessage> {
  const bytes = Buffer.byteLength(message);
  if (bytes < minMessageBytes) throw web3Failure.invalid('message is too short');
  if (bytes > maxMessageBytes) throw web3Failure.invalid('message must not exceed 20KB');
  const isShaped =
    chain === 'solana' ? [86, 88].includes(signature.length) : signature.replace(/^0x/, '').length === 130;
  if (!isShaped) {
    throw web3Failure.invalid(
      chain === 'solana'
        ? 'signature must be 64 bytes encoded as base64 with or without padding'
        : 'signature must be 65 bytes long, encoded as a 130 character-long hexadecimal string',
    );
  }
  if (chain === 'solana' && !/^[A-Za-z0-9+/_-]+=*$/.test(signature)) {
    throw web3Failure.invalid('signature does not contain valid base64 characters');
  }
  const parsed = parseWalletMessage(chain, message);
  if (!parsed.ok) throw web3Failure.invalid(parsed.error);
  const isSigned =
    chain === 'solana'
      ? isSignedBySolana(parsed.value, Buffer.from(signature, 'base64'))
      : await isSignedByEthereum(parsed.value, signature);
  if (!isSigned) throw refuse('Signature does not match address in message');
  return parsed.value;
}

function demandForThisApp(context: AuthContext, name: string, { uri, domain }: WalletMessage): void {
  const isLocal = uri.hostname === 'localhost';
  if (uri.protocol !== 'https:' && !isLocal) {
    throw refuse(`Signed ${name} message is using URI which does not use HTTPS`);
  }
  if (!context.redirects.isPermitted(uri.href)) {
    throw refuse(
      `Signed ${name} message is using URI which is not allowed on this server, message was signed for another app`,
    );
  }
  const isOwnDomain = uri.host === domain && context.redirects.isPermitted(`https://${domain}/`);
  if (!isLocal && !isOwnDomain) {
    throw refuse(
      `Signed ${name} message is using a Domain that does not match the one in URI which is not allowed on this server`,
    );
  }
}

function demandTimely(name: string, message: WalletMessage, nowMs: number, maxAgeMs: number): void {
  const { issuedAtMs, expiresAtMs, notBeforeMs } = message;
  if (notBeforeMs !== null && nowMs < notBeforeMs) {
    throw refuse(`Signed ${name} message becomes valid in the future`);
  }
  if (expiresAtMs !== null && nowMs > expiresAtMs) throw refuse(`Signed ${name} message is expired`);
  if (nowMs > issuedAtMs + maxAgeMs) throw refuse(`${name} message was issued too long ago`);
  if (nowMs < issuedAtMs - maxAgeMs) throw refuse(`${name} message was issued too far in the future`);
}

const userOf = (chain: Chain, message: WalletMessage): External['user'] => ({
  emails: [],
  claims: {
    sub: `web3:${chain}:${message.address}`,
    custom_claims: {
      address: message.address,
      chain,
      network: message.chainId,
      domain: message.domain,
      statement: message.statement,
    },
  },
});
