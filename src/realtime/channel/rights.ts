/** What a policy said; null while nobody has asked. */
type Verdict = boolean | null;

/** Rights on one extension of a topic. */
type ExtensionRights = { readonly read: Verdict; readonly write: Verdict };

/** Rights of a channel. */
export type Rights = { readonly broadcast: ExtensionRights; readonly presence: ExtensionRights };

/** The rights of a public channel: everything, without asking. */
export const publicRights: Rights = {
  broadcast: { read: true, write: true },
  presence: { read: true, write: true },
};

/** The rights of a private channel before anything was asked. */
export const unknownRights: Rights = {
  broadcast: { read: null, write: null },
  presence: { read: null, write: null },
};

/** Whether a channel may be joined with these rights: one extension must be readable. */
export const mayJoin = (rights: Rights): boolean =>
  rights.broadcast.read === true || rights.presence.read === true;

/** Whether a right to read was lost between two tokens. */
export const lostReading = (before: Rights, after: Rights): boolean =>
  (before.broadcast.read === true && after.broadcast.read === false) ||
  (before.presence.read === true && after.presence.read === false);
