/** A message of a batch. */
export type BatchMessage = {
  readonly topic: string;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly private: boolean;
  /** Told as `meta.id`; null without one. */
  readonly id: string | null;
};

/** What is wrong with each field; nothing for a good message. */
type FieldErrors = Record<string, string[]>;

/** Texts of upstream's changesets. */
export const blank = "can't be blank";
export const tooLarge = 'Payload size exceeds tenant limit';
const invalid = 'is invalid';

/** Whether a text counts as absent. */
export const isBlank = (text: string): boolean => text.trim() === '';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values that are taken for a boolean; null counts as absent. */
const booleans: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...([true, 'true', '1'] as const).map((value) => [value, true] as const),
  ...([false, 'false', '0', null, undefined, ''] as const).map((value) => [value, false] as const),
]);

/** Reads a batch, or says what is wrong with it. Upstream: supabase/realtime lib/realtime/tenants/batch_broadcast.ex. */
export function parseBatch(
  value: unknown,
  maxPayloadBytes: number,
): { readonly messages: readonly BatchMessage[] } | { readonly errors: Record<string, unknown> } {
  const list = isObject(value) ? value.messages : null;
  if (list === null || list === undefined) return { errors: { messages: [blank] } };
  if (!Array.isArray(list) || !list.every(isObject)) return { errors: { messages: [invalid] } };
  if (list.length === 0) return { errors: { messages: [blank] } };
  const messages: BatchMessage[] = [];
  const errors = list.map((item): FieldErrors => {
    const wrong = fieldErrors(item, maxPayloadBytes);
    if (Object.keys(wrong).length === 0) messages.push(toMessage(item));
    return wrong;
  });
  return messages.length === list.length ? { messages } : { errors: { messages: errors } };
}

function fieldErrors(item: Record<string, unknown>, maxPayloadBytes: number): FieldErrors {
  const errors: FieldErrors = {};
  for (const name of ['topic', 'event']) {
    const value = item[name] ?? '';
    if (typeof value !== 'string') errors[name] = [invalid];
    else if (isBlank(value)) errors[name] = [blank];
  }
  const payload = item.payload ?? null;
  if (payload === null) errors.payload = [blank];
  else if (!isObject(payload)) errors.payload = [invalid];
  else if (Buffer.byteLength(JSON.stringify(payload)) > maxPayloadBytes) errors.payload = [tooLarge];
  if (!booleans.has(item.private)) errors.private = [invalid];
  if (typeof (item.id ?? '') !== 'string') errors.id = [invalid];
  return errors;
}

function toMessage({ topic, event, payload, private: isPrivate, id }: Record<string, unknown>): BatchMessage {
  return {
    topic: topic as string,
    event: event as string,
    payload: payload as Record<string, unknown>,
    private: booleans.get(isPrivate) === true,
    id: typeof id === 'string' && id !== '' ? id : null,
  };
}
