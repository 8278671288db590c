import fc from 'fast-check';

/**
 * Properties are tried on the same inputs in every run, so that a gate fails only for what changed. PROPERTY_SEED
 * chooses others; a failure prints its seed.
 */
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 20_261_121) });
