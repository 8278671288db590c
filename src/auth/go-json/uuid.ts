const lengths: ReadonlySet<number> = new Set([32, 34, 36, 38, 41, 45]);

/** Why a text is no UUID, in the words of upstream's library (gofrs/uuid). */
export function uuidProblem(text: string): string {
  const length = Buffer.byteLength(text);
  const quoted = JSON.stringify(text);
  return lengths.has(length)
    ? `uuid: incorrect UUID format in string ${quoted}`
    : `uuid: incorrect UUID length ${length} in string ${quoted}`;
}
