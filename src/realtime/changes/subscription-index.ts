import type { Frame, Serializer } from '../socket/frame.ts';
import type { Filter } from './filter.ts';
import type { Change, ChangeKind } from './model.ts';

/** Who gets changes: a channel. */
export interface ChangeReceiver {
  readonly topic: string;
  readonly serializer: Serializer;
  /** Changes are told as the first clients expect them: the event is that of the change, the payload its data. */
  readonly isLegacy: boolean;
  /** Yields the bytes that the client had not taken before. */
  send(frame: Frame): number;
  /** Bytes that the client has not taken yet. */
  bufferedBytes(): number;
}

/** An equality that tells by text alone, so that groups can be looked up by the row's value. */
export type EqualityKey = { readonly column: string; readonly typeOid: number; readonly value: string };

/** What decides whether a change is for a subscriber. Subscribers that agree in all of it are asked about once. */
export type Interest = {
  readonly event: ChangeKind | '*';
  readonly schema: string;
  readonly table: string;
  /** Values in the server's print. */
  readonly filters: readonly Filter[];
  /** One of the filters, when it is such an equality. */
  readonly key: EqualityKey | null;
  readonly select: readonly string[] | null;
  readonly role: string;
  /** The claims as JSON text. */
  readonly claims: string;
};

/** The life of a channel's subscription, through all of its sessions. */
export type SubscriptionLife = { isOver: boolean };

/** One item of one channel. */
type Subscriber = {
  readonly receiver: ChangeReceiver;
  readonly life: SubscriptionLife;
  readonly id: number;
  /** Commits up to here happened before the subscription. */
  sinceLsn: bigint;
  /** Whether the channel has no other interest, so that a change reaches it once. */
  readonly isOnly: boolean;
};

/** Subscribers with one interest. */
export type Group = {
  readonly interest: Interest;
  readonly subscribers: Set<Subscriber>;
  /** Commits before this one are for none of them. */
  sinceLsn: bigint;
  /** Commits from this one on are for all of them. */
  fullLsn: bigint;
};

/** All subscriptions of an instance, by table. */
export interface SubscriptionIndex {
  /** Adds a subscriber; the function takes it out again. */
  add(interest: Interest, subscriber: Subscriber): () => void;
  /** Groups that a change may concern: all that match, and some that their filters will rule out. */
  candidates(change: Change): readonly Group[];
  /** Moves with every new group. */
  readonly version: number;
  /** Takes all who subscribed after this position for subscribed there: the positions of the log have begun anew. */
  rebase(lsn: bigint): void;
  /** Whether anybody listens to a table. */
  hasInterest(schema: string, table: string): boolean;
}

/** Groups of one table. Those with an equality stand under its column, type and value, the others in `rest`. */
type Place = {
  readonly groups: Map<string, Group>;
  readonly rest: Set<Group>;
  readonly keyed: Map<string, KeyedColumn>;
  /** The lists of `rest` by kind of change, made when they are asked for; emptied whenever `rest` changes. */
  readonly lists: Map<ChangeKind, readonly Group[]>;
};
type KeyedColumn = {
  readonly column: string;
  readonly typeOid: number;
  readonly byValue: Map<string, Set<Group>>;
};

const placeKey = (schema: string, table: string): string => JSON.stringify([schema, table]);
const columnKey = ({ column, typeOid }: EqualityKey): string => `${typeOid} ${column}`;

const groupKey = ({ event, filters, select, role, claims }: Interest): string =>
  JSON.stringify([
    event,
    filters.map(({ column, op, value, negate }) => [column, op, value, negate]).sort(),
    select === null ? null : [...select].sort(),
    role,
    claims,
  ]);

const noGroups: readonly Group[] = [];

const newPlace = (): Place => ({ groups: new Map(), rest: new Set(), keyed: new Map(), lists: new Map() });

/** Creates an empty index. */
export function createSubscriptionIndex(): SubscriptionIndex {
  const places = new Map<string, Place>();
  let version = 0;
  /** Places of tables by schema and name, made when they are asked for; emptied whenever places come or go. */
  const found = new Map<string, Map<string, readonly Place[]>>();
  const placesOf = (schema: string, table: string): readonly Place[] => {
    const known = found.get(schema)?.get(table);
    if (known !== undefined) return known;
    const keys = [placeKey(schema, table), placeKey(schema, '*'), placeKey('*', table), placeKey('*', '*')];
    const list = keys.flatMap((key) => places.get(key) ?? []);
    found.set(schema, (found.get(schema) ?? new Map<string, readonly Place[]>()).set(table, list));
    return list;
  };
  return {
    add(interest, subscriber) {
      const key = placeKey(interest.schema, interest.table);
      const place = places.get(key) ?? newPlace();
      if (places.get(key) !== place) {
        places.set(key, place);
        found.clear();
      }
      const groups = place.groups.size;
      const group = enter(place, interest, subscriber.sinceLsn);
      group.subscribers.add(subscriber);
      if (place.groups.size > groups) version++;
      return () => {
        group.subscribers.delete(subscriber);
        if (group.subscribers.size === 0) leave(place, group);
        if (place.groups.size > 0) return;
        places.delete(key);
        found.clear();
      };
    },
    candidates(change) {
      const { relation } = change;
      const [only, ...others] = placesOf(relation.schema, relation.name);
      if (only === undefined) return noGroups;
      if (others.length === 0) return near(only, change);
      return [only, ...others].flatMap((place) => near(place, change));
    },
    get version() {
      return version;
    },
    rebase(lsn) {
      for (const { groups } of places.values()) for (const group of groups.values()) rebase(group, lsn);
    },
    hasInterest: (schema, table) => placesOf(schema, table).length > 0,
  };
}

function enter(place: Place, interest: Interest, sinceLsn: bigint): Group {
  const key = groupKey(interest);
  const known = place.groups.get(key);
  if (known !== undefined) {
    if (sinceLsn < known.sinceLsn) known.sinceLsn = sinceLsn;
    if (sinceLsn > known.fullLsn) known.fullLsn = sinceLsn;
    return known;
  }
  const group: Group = { interest, subscribers: new Set(), sinceLsn, fullLsn: sinceLsn };
  place.groups.set(key, group);
  if (interest.key === null) {
    place.rest.add(group);
    place.lists.clear();
    return group;
  }
  const { column, typeOid, value } = interest.key;
  const keyed = place.keyed.get(columnKey(interest.key)) ?? { column, typeOid, byValue: new Map() };
  place.keyed.set(columnKey(interest.key), keyed);
  keyed.byValue.set(value, (keyed.byValue.get(value) ?? new Set()).add(group));
  return group;
}

function leave(place: Place, group: Group): void {
  const { interest } = group;
  place.groups.delete(groupKey(interest));
  if (place.rest.delete(group)) place.lists.clear();
  if (interest.key === null) return;
  const keyed = place.keyed.get(columnKey(interest.key));
  const groups = keyed?.byValue.get(interest.key.value);
  groups?.delete(group);
  if (groups?.size === 0) keyed?.byValue.delete(interest.key.value);
  if (keyed?.byValue.size === 0) place.keyed.delete(columnKey(interest.key));
}

function rebase(group: Group, lsn: bigint): void {
  if (group.sinceLsn > lsn) group.sinceLsn = lsn;
  if (group.fullLsn > lsn) group.fullLsn = lsn;
  for (const subscriber of group.subscribers) if (subscriber.sinceLsn > lsn) subscriber.sinceLsn = lsn;
}

function restOf({ rest, lists }: Place, kind: ChangeKind): readonly Group[] {
  const known = lists.get(kind);
  if (known !== undefined) return known;
  const list = [...rest].filter(({ interest }) => interest.event === '*' || interest.event === kind);
  lists.set(kind, list);
  return list;
}

function near(place: Place, { relation, kind, row, old }: Change): readonly Group[] {
  const rest = restOf(place, kind);
  if (place.keyed.size === 0) return rest;
  const keyed: Group[] = [];
  for (const { column, typeOid, byValue } of place.keyed.values()) {
    const value = (row ?? old)?.get(column);
    if (relation.columnByName.get(column)?.type.oid === typeOid && relation.primaryKey.length > 0) {
      if (typeof value === 'string') keyed.push(...(byValue.get(value) ?? []));
    } else {
      // The column's type changed since, or filters do not count for what has to be told: look at all of them.
      for (const found of byValue.values()) keyed.push(...found);
    }
  }
  return [...rest, ...keyed.filter(({ interest }) => interest.event === '*' || interest.event === kind)];
}
