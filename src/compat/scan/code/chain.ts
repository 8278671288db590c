/**
 * What a source file says, reduced to what a scan reads. `await supabase.from('a').select('*, b(*)').eq('x', 1)` is
 *
 *   supabase - from('a') - select('*, b(*)') - eq('x', ?)      isAwaited
 *
 * whatever the language.
 */
export type Chain = {
  readonly segments: readonly Segment[];
  /** Names of variables or fields that hold the value afterwards. */
  readonly assignedTo: readonly string[];
  readonly isAwaited: boolean;
};

/** One name of a chain; a call when it has arguments, even none. */
export type Segment = {
  readonly name: string;
  readonly line: number;
  readonly args?: readonly Argument[] | undefined;
};

/** What is known of an argument without running the program. */
export type Argument = {
  /** A string literal; the fixed parts of a template with `…` between them. */
  readonly text?: string | undefined;
  /** The members of an object literal, or of named arguments. */
  readonly members?: ReadonlyMap<string, Argument> | undefined;
  /** The elements of a list. */
  readonly items?: readonly Argument[] | undefined;
  /** `true` and `false`. */
  readonly flag?: boolean | undefined;
};

/** A string of a source file, for addresses that are written out. */
export type Literal = { readonly text: string; readonly line: number };

/** A source file, read. */
export type Source = {
  readonly chains: readonly Chain[];
  readonly literals: readonly Literal[];
  /** Modules and packages that it imports. */
  readonly imports: readonly {
    readonly module: string;
    readonly names: readonly string[];
    readonly line: number;
  }[];
  /** Names whose declared type says what they are, e.g. `SupabaseClient`. */
  readonly typed: ReadonlyMap<string, string>;
};

/** The argument that carries a name, at the first depth of objects and named arguments. */
export function memberOf(args: readonly Argument[] | undefined, name: string): Argument | undefined {
  for (const { members } of args ?? []) {
    const found = members?.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
