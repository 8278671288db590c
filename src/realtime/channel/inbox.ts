/** Deals with what comes one after the other, each when the one before is done. */
export class Inbox<Input> {
  readonly #deal: (input: Input) => Promise<Input | undefined> | undefined;
  readonly #onFailure: (failure: unknown) => void;
  readonly #waiting: Input[] = [];
  #isBusy = false;

  /** `deal` yields what has to be dealt with next, before anything that waits; a failure is told to `onFailure`. */
  constructor(
    deal: (input: Input) => Promise<Input | undefined> | undefined,
    onFailure: (failure: unknown) => void,
  ) {
    this.#deal = deal;
    this.#onFailure = onFailure;
  }

  add(input: Input): void {
    this.#waiting.push(input);
    void this.#work();
  }

  /** Holds what comes until the work is done, which must not reject. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    await work();
    this.#isBusy = false;
    void this.#work();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
        let next: Input | undefined = input;
        while (next !== undefined) next = await this.#deal(next);
      }
    } catch (failure) {
      this.#onFailure(failure);
    } finally {
      this.#isBusy = false;
    }
  }
}
