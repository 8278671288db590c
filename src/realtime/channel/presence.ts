/*
 * Presence of one topic: key -> metas, one meta per channel that tracks.
 *
 * A change goes into a pending difference, which is sent as one `presence_diff`. What came and went between two
 * differences leaves no trace.
 */

/** What one channel shows of itself. */
type Meta = {
  /** Unique over all updates of all instances. */
  readonly phxRef: string;
  /** Reference of the meta that this one replaced. */
  readonly previous: string | null;
  /** The tracked object, as JSON text. */
  readonly payload: string;
};

/** Who shows a meta: a channel of some instance. */
export type PresenceEntry = { readonly member: string; readonly key: string; readonly meta: Meta };

type Metas = Map<string, Map<string, Meta>>;

/** Presence of one topic, and what changed in it since the last difference was taken. */
export interface PresenceTopic {
  track(entry: PresenceEntry): void;
  /** Yields whether the member had tracked something. */
  untrack(member: string): boolean;
  readonly isEmpty: boolean;
  /** Who is present, channels of other instances included. */
  entries(): Iterable<PresenceEntry>;
  /** JSON text of `presence_state`. */
  state(): string;
  /** JSON text of `presence_diff`; null when nothing changed. Forgets the difference. */
  takeDiff(): string | null;
}

/** Creates the presence of a topic. */
export function createPresenceTopic(): PresenceTopic {
  const byMember = new Map<string, PresenceEntry>();
  let joins: Metas = new Map();
  let leaves: Metas = new Map();

  const leave = (entry: PresenceEntry): void => {
    if (!remove(joins, entry)) add(leaves, entry);
  };
  return {
    track(entry) {
      const former = byMember.get(entry.member);
      // Told once more, as instances do that have lost sight of each other.
      if (former?.meta.phxRef === entry.meta.phxRef) return;
      if (former !== undefined) leave(former);
      byMember.set(entry.member, entry);
      add(joins, entry);
    },
    untrack(member) {
      const entry = byMember.get(member);
      if (entry === undefined) return false;
      byMember.delete(member);
      leave(entry);
      return true;
    },
    get isEmpty() {
      return byMember.size === 0;
    },
    entries: () => byMember.values(),
    state() {
      const metas: Metas = new Map();
      for (const entry of byMember.values()) add(metas, entry);
      return metasJson(metas);
    },
    takeDiff() {
      if (joins.size === 0 && leaves.size === 0) return null;
      const diff = `{"joins":${metasJson(joins)},"leaves":${metasJson(leaves)}}`;
      joins = new Map();
      leaves = new Map();
      return diff;
    },
  };
}

function add(metas: Metas, { key, meta }: PresenceEntry): void {
  const ofKey = metas.get(key) ?? new Map<string, Meta>();
  metas.set(key, ofKey.set(meta.phxRef, meta));
}

function remove(metas: Metas, { key, meta }: PresenceEntry): boolean {
  const ofKey = metas.get(key);
  if (ofKey?.delete(meta.phxRef) !== true) return false;
  if (ofKey.size === 0) metas.delete(key);
  return true;
}

function metasJson(metas: Metas): string {
  const keys = [...metas].map(
    ([key, ofKey]) => `${JSON.stringify(key)}:{"metas":[${[...ofKey.values()].map(metaJson).join(',')}]}`,
  );
  return `{${keys.join(',')}}`;
}

function metaJson({ payload, phxRef, previous }: Meta): string {
  const own = payload.slice(1, -1).trim();
  const refs = `"phx_ref":${JSON.stringify(phxRef)}${previous === null ? '' : `,"phx_ref_prev":${JSON.stringify(previous)}`}`;
  return own === '' ? `{${refs}}` : `{${own},${refs}}`;
}
