import { createHash } from 'node:crypto';

/** What a pipeline has to send before it can bind a named statement. */
export type Preparation = { readonly parse: boolean; readonly evict: string | null };

/**
 * The prepared statements that one connection holds, least recently used first.
 * A name counts as known only after the server's ParseComplete: a Parse that failed, or was skipped because an
 * earlier step failed, left nothing behind.
 */
export class StatementCache {
  readonly #known = new Map<string, true>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Says whether the name must be parsed first, and which old statement to close to make room for it. */
  prepare(name: string): Preparation {
    if (this.#known.delete(name)) {
      this.#known.set(name, true);
      return { parse: false, evict: null };
    }
    if (this.#known.size < this.#capacity) return { parse: true, evict: null };
    const oldest = this.#known.keys().next().value ?? null;
    if (oldest !== null) this.#known.delete(oldest);
    return { parse: true, evict: oldest };
  }

  /** Records that the server has parsed the statement. */
  parsed(name: string): void {
    this.#known.set(name, true);
  }

  /** Forgets everything, as after DISCARD ALL or DEALLOCATE ALL. */
  clear(): void {
    this.#known.clear();
  }

  get size(): number {
    return this.#known.size;
  }
}

const planScopes = new Map<string, Map<string, string>>();
const mostPlanScopes = 5_000;

/**
 * What a plan depends on besides its statement, as one text: the role and the search path. It is the same string each
 * time, whose hash the engine has already computed.
 */
export function planScope(role: string, searchPath: string): string {
  const known = planScopes.get(role)?.get(searchPath);
  if (known !== undefined) return known;
  const paths = planScopes.get(role) ?? new Map<string, string>();
  if (planScopes.size + paths.size >= mostPlanScopes) planScopes.clear();
  const scope = `${role}\0${searchPath}`;
  planScopes.set(role, paths.set(searchPath, scope));
  return scope;
}

const namesByScope = new Map<string, Map<string, string>>();
/** Characters of the texts whose names are remembered. */
const mostCharacters = 16_000_000;
let characters = 0;

/**
 * Name of a prepared statement: a hash of its text and of the scope it is planned in (role and search path),
 * since a plan made for one role is thrown away when another role binds it.
 */
export function statementName(text: string, scope: string): string {
  const known = namesByScope.get(scope)?.get(text);
  if (known !== undefined) return known;
  const name = `ob_${createHash('sha1').update(`${scope}\0${text}`).digest('base64url')}`;
  characters += scope.length + text.length;
  if (characters > mostCharacters) {
    namesByScope.clear();
    characters = 0;
  }
  const names = namesByScope.get(scope) ?? new Map<string, string>();
  namesByScope.set(scope, names.set(text, name));
  return name;
}
