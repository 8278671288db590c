import { randomBytes } from 'node:crypto';
import type { Address, Attachment, Email } from 'postal-mime';

/** A mail that was caught. */
export type CaughtMail = {
  readonly id: string;
  readonly email: Email;
  readonly raw: Buffer;
  readonly receivedAt: Date;
  /** Addresses of the SMTP envelope, which are the only place that names blind copies. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly isRead: boolean;
};

/** Keeps the newest mails in memory, bounded in number and bytes. */
export interface MessageStore {
  add(mail: Omit<CaughtMail, 'id' | 'isRead'>): CaughtMail;
  /** Newest first. */
  all(): readonly CaughtMail[];
  find(id: string): CaughtMail | null;
  setRead(ids: readonly string[], isRead: boolean): void;
  remove(ids: readonly string[]): void;
  clear(): void;
  /** Calls back for each mail that comes in; yields the way to stop. */
  onAdded(listener: (mail: CaughtMail) => void): () => void;
}

/** Bounds of a store. */
export type StoreLimits = { readonly maxMessages: number; readonly maxBytes: number };

const newId = (): string => randomBytes(16).toString('base64url').replaceAll(/[-_]/g, 'x');

/** Creates an empty store. */
export function createMessageStore(limits: StoreLimits): MessageStore {
  let mails: readonly CaughtMail[] = [];
  const listeners = new Set<(mail: CaughtMail) => void>();
  const trimmed = (list: readonly CaughtMail[]): readonly CaughtMail[] => {
    let bytes = 0;
    return list.filter((mail, i) => {
      bytes += mail.raw.length;
      // The newest stays even when it is larger than all bounds.
      return i === 0 || (i < limits.maxMessages && bytes <= limits.maxBytes);
    });
  };
  return {
    add(mail) {
      const caught = { ...mail, id: newId(), isRead: false };
      mails = trimmed([caught, ...mails]);
      for (const listener of listeners) listener(caught);
      return caught;
    },
    all: () => mails,
    find: (id) => (id === 'latest' ? mails[0] : mails.find((mail) => mail.id === id)) ?? null,
    setRead(ids, isRead) {
      mails = mails.map((mail) => (ids.includes(mail.id) ? { ...mail, isRead } : mail));
    },
    remove(ids) {
      mails = mails.filter((mail) => !ids.includes(mail.id));
    },
    clear() {
      mails = [];
    },
    onAdded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A mailbox with its name. */
export type NamedAddress = { readonly Name: string; readonly Address: string };

/** The mailboxes of a header; members of a group count each. */
export const addresses = (list: readonly Address[] | Address | undefined): NamedAddress[] => {
  const each = list === undefined ? [] : Array.isArray(list) ? list : [list as Address];
  return each.flatMap((entry) =>
    entry.group === undefined ? [{ Name: entry.name, Address: entry.address ?? '' }] : addresses(entry.group),
  );
};

/** Bytes of an attachment. */
export const contentOf = ({ content }: Attachment): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as ArrayBuffer);
