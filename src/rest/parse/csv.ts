/** Rows of a CSV text as objects by the names of its first line; null when a quote is never closed or misplaced. */
export function parseCsv(text: string): Record<string, string | null>[] | null {
  const records = parseRecords(text);
  const [header, ...rows] = records ?? [];
  if (header === undefined) return null;
  return rows.map((row) => {
    const values = row.slice(0, header.length);
    return Object.fromEntries(
      values.map((value, i) => [header[i] ?? '', value === 'NULL' ? null : value] as const),
    );
  });
}

/** Lines of fields, blank lines left out. */
function parseRecords(text: string): string[][] | null {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const fields: string[] = [];
    for (;;) {
      const field = text[at] === '"' ? quotedField(text, at) : bareField(text, at);
      if (field === null) return null;
      fields.push(field.value);
      at = field.end;
      if (text[at] !== ',') break;
      at++;
    }
    if (fields.length > 1 || fields[0] !== '') records.push(fields);
    if (at >= text.length) break;
    if (text[at] === '\r' && text[at + 1] === '\n') at += 2;
    else if (text[at] === '\n' || text[at] === '\r') at++;
    else return null;
  }
  return records;
}

type Field = { readonly value: string; readonly end: number };

function bareField(text: string, from: number): Field | null {
  let end = from;
  for (; end < text.length; end++) {
    const char = text[end];
    if (char === ',' || char === '\n' || char === '\r') break;
    if (char === '"') return null;
  }
  return { value: text.slice(from, end), end };
}

function quotedField(text: string, from: number): Field | null {
  let value = '';
  let start = from + 1;
  for (;;) {
    const end = text.indexOf('"', start);
    if (end < 0) return null;
    value += text.slice(start, end);
    if (text[end + 1] !== '"') return { value, end: end + 1 };
    value += '"';
    start = end + 2;
  }
}
