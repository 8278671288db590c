import type { FileHandle } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import type { SelfSending } from '../../http/exchange.ts';

/** What is read at a time: fewer trips to the thread pool than with the platform's 64 kB. */
const chunkBytes = 256 * 1024;
/** One buffer is filled while the other one is sent. */
const bufferCount = 2;

/**
 * The bytes of an open file from a place on, as a stream; it owns the handle. To a connection it sends itself through
 * buffers that it uses again: a stream makes a new one for each chunk, which costs more than to read and send it.
 */
export class FileBody extends Readable implements SelfSending {
  readonly #handle: FileHandle;
  #position: number;
  #left: number;

  constructor(handle: FileHandle, start: number, length: number) {
    super({ highWaterMark: chunkBytes });
    this.#handle = handle;
    this.#position = start;
    this.#left = length;
  }

  override _read(): void {
    if (this.#left === 0) {
      this.push(null);
      return;
    }
    this.#next(Buffer.allocUnsafe(Math.min(chunkBytes, this.#left))).then(
      (chunk) => this.push(chunk),
      (thrown: unknown) => this.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#handle.close().then(() => done(error), done);
  }

  /** Sends all of it and ends the connection's answer; rejects when the file is shorter than it was, or the peer is gone. */
  async sendTo(out: Writable): Promise<void> {
    const lane = new BufferLane(out);
    try {
      while (this.#left > 0) {
        const buffer = await lane.take();
        lane.send(buffer, await this.#next(buffer));
      }
      out.end();
      await lane.drained();
    } finally {
      lane.close();
      this.destroy();
    }
  }

  /** Reads what comes next into a buffer, and yields the part of it that was filled. */
  async #next(buffer: Buffer): Promise<Buffer> {
    const wanted = Math.min(buffer.length, this.#left);
    const { bytesRead } = await this.#handle.read(buffer, 0, wanted, this.#position);
    if (bytesRead === 0) throw new RangeError('a file is shorter than it was');
    this.#position += bytesRead;
    this.#left -= bytesRead;
    return bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
  }
}

/** A few buffers that come back when what was in them has been sent. */
class BufferLane {
  readonly #out: Writable;
  readonly #free: Buffer[] = [];
  #made = 0;
  #wake: (() => void) | null = null;
  readonly #onClose = (): void => this.#wake?.();

  constructor(out: Writable) {
    this.#out = out;
    out.once('close', this.#onClose);
  }

  async take(): Promise<Buffer> {
    this.#requireOpen();
    if (this.#free.length === 0 && this.#made < bufferCount) {
      this.#made++;
      return Buffer.allocUnsafeSlow(chunkBytes);
    }
    await this.#until(1);
    return this.#free.pop() ?? this.take();
  }

  send(buffer: Buffer, filled: Buffer): void {
    this.#out.write(filled, () => {
      this.#free.push(buffer);
      this.#wake?.();
    });
  }

  /** Resolves when every buffer is back. */
  drained(): Promise<void> {
    return this.#until(this.#made);
  }

  close(): void {
    this.#out.removeListener('close', this.#onClose);
  }

  async #until(count: number): Promise<void> {
    while (this.#free.length < count) {
      this.#requireOpen();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #requireOpen(): void {
    if (this.#out.destroyed) throw new Error('the connection is closed');
  }
}
