/*
 * Requests of one kind differ in their values alone: their pieces are the same literals of the source code in the same
 * order. Following those literals through a tree leads to the text that was put together the first time, the same
 * string each time, which costs less than putting it together and far less than hashing it anew.
 */

/** What a statement's text is made of, in order: the texts between a template's holes, one text, or a bound value. */
export type TextKey = readonly string[] | string | typeof boundValue;

/** Stands for a bound value, whatever it is. */
export const boundValue = Symbol('bound value');

/** A place in the tree: where the pieces up to it lead. */
export class TextNode {
  #key: TextKey | null = null;
  #next: TextNode | null = null;
  #others: Map<TextKey, TextNode> | null = null;
  text: string | null = null;

  /** The place one piece further; null when nobody went there yet. */
  follow(key: TextKey): TextNode | null {
    // Most places have one way on.
    return this.#key === key ? this.#next : (this.#others?.get(key) ?? null);
  }

  add(key: TextKey): TextNode {
    const node = new TextNode();
    if (this.#key === null) {
      this.#key = key;
      this.#next = node;
    } else {
      this.#others ??= new Map();
      this.#others.set(key, node);
    }
    return node;
  }
}

/** Characters that are kept in all, a place counted as so many. */
const mostCharacters = 16_000_000;
const placeCharacters = 100;

/** The texts of the statements that were sent before, up to some megabytes of them; then it begins anew. */
export class TextTree {
  #root = new TextNode();
  #characters = 0;

  get root(): TextNode {
    return this.#root;
  }

  /** The place one piece further, made when it is new. */
  step(node: TextNode, key: TextKey): TextNode {
    const known = node.follow(key);
    if (known !== null) return known;
    this.#characters += placeCharacters + (typeof key === 'string' ? key.length : 0);
    return node.add(key);
  }

  /** Keeps the text of the pieces that lead to a place. */
  keep(node: TextNode, text: string): void {
    node.text = text;
    this.#characters += text.length;
    if (this.#characters <= mostCharacters) return;
    this.#root = new TextNode();
    this.#characters = 0;
  }
}
