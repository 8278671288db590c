/**
 * A set of SHA-1 hashes in little memory: whatever was added is in it, and so is a small share of everything else.
 */
export interface BloomFilter {
  /** Adds hashes, in hexadecimal; a filter that they would fill to four fifths is emptied before. */
  add(hashes: readonly string[]): void;
  has(hash: string): boolean;
}

/** Creates a filter for so many hashes, of which a full one takes this share of others for its own. */
export function createBloomFilter(items: number, falsePositives: number): BloomFilter {
  // An odd number of bits: hashes that differ by a power of two must not share their places.
  const size = Math.ceil((-items * Math.log(falsePositives)) / Math.LN2 ** 2) | 1;
  const places = Math.max(1, Math.ceil((Math.LN2 * size) / items));
  const bits = new Uint8Array(Math.ceil(size / 8));
  let count = 0;
  return {
    add(hashes) {
      count += hashes.length;
      if (count > (4 * items) / 5) {
        // A fuller filter would be wrong more often than it was made for.
        bits.fill(0);
        count = hashes.length;
      }
      for (const hash of hashes) {
        for (const at of placesOf(hash, places, size)) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
      }
    },
    has: (hash) => placesOf(hash, places, size).every((at) => ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0),
  };
}

/** Hashes are even already: two pieces of one make as many places as are needed. */
function placesOf(hash: string, places: number, size: number): readonly number[] {
  const [start, stride] = [Number.parseInt(hash.slice(0, 12), 16), Number.parseInt(hash.slice(12, 24), 16)];
  return Array.from({ length: places }, (_, i) => (start + i * (stride % size)) % size);
}
