import type { Kind } from './kind.ts';

/** One setting: what it is, what it is when nobody says, and by which names one may say it. */
export type Option<T> = {
  readonly kind: Kind<T>;
  readonly default: NoInfer<T>;
  readonly description: string;
  /** Path in `supabase/config.toml`, dotted. */
  readonly toml?: string;
  /** Environment names, first match wins. `SUPABASE_<SECTION>_<KEY>` of the toml path is understood without being listed. */
  readonly env?: readonly string[];
  /** Long flag of `ownbase start`, without dashes. */
  readonly flag?: string;
  /** Reads names that the user chooses (`GOTRUE_EXTERNAL_<PROVIDER>_...`) from the whole environment; undefined when none is set. */
  fromEnv?(env: Environment, toml: T): T | undefined;
};

/** Process environment, as data. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An option of some type, as the loader handles it; methods make it accept options of every type. */
export interface SomeOption {
  readonly kind: { readonly name: string; parse(raw: unknown): unknown; print(value: unknown): string };
  readonly default: unknown;
  readonly description: string;
  readonly toml?: string;
  readonly env?: readonly string[];
  readonly flag?: string;
  fromEnv?(env: Environment, toml: unknown): unknown;
}

/** A section: options by key. */
export type OptionTable = Readonly<Record<string, SomeOption>>;

/** The values of a section, typed by its options. */
export type Values<S extends OptionTable> = {
  readonly [K in keyof S]: S[K] extends { readonly default: infer T } ? T : never;
};

/** Declares one option. */
export const option = <T>(definition: Option<T>): Option<T> => definition;
