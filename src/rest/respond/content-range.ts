/** The `Content-Range` of rows that begin at `lower` and end at `upper`; nothing between them is `*`. */
export function contentRange(lower: bigint, upper: bigint, total: number | null): string {
  const rows = total !== 0 && lower <= upper ? `${lower}-${upper}` : '*';
  return `${rows}/${total ?? '*'}`;
}

/** Status of rows that were asked for by their place: all of them, some of them, or none that there are. */
export function rangeStatus(lower: bigint, rows: number, total: number | null): 200 | 206 | 416 {
  if (total === null) return 200;
  if (lower > BigInt(total)) return 416;
  return rows < total ? 206 : 200;
}
