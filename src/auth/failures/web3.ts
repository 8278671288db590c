import { failures } from './table.ts';

/** Refusals of wallet sign-ins. */
export const web3Failure = failures({
  disabled: [422, 'web3_provider_disabled', 'Web3 provider is disabled'],
  solanaDisabled: [422, 'web3_provider_disabled', 'Solana Web3 provider is disabled'],
  ethereumDisabled: [422, 'web3_provider_disabled', 'Ethereum Web3 provider is disabled'],
  unsupportedChain: [400, 'web3_unsupported_chain', 'Unsupported chain'],
  invalid: [400, 'validation_failed', (problem: string) => problem],
});
