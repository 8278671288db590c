import type { Frame, Serializer } from '../socket/frame.ts';
import type { Filter } from './filter.ts';
import type { ChangeKind, RelationInfo } from './model.ts';

/** Who gets changes: a channel. */
export interface ChangeReceiver {
  readonly topic: string;
  readonly serializer: Serializer;
  send(frame: Frame): void;
  /** Bytes that the client has not taken yet. */
  bufferedBytes(): number;
}

/** What decides whether a change is for a subscriber. Subscribers that agree in all of it are asked about once. */
export type Interest = {
  readonly event: ChangeKind | '*';
  readonly schema: string;
  readonly table: string;
  /** Values in the server's print. */
  readonly filters: readonly Filter[];
  readonly select: readonly string[] | null;
  readonly role: string;
  /** The claims as JSON text. */
  readonly claims: string;
};

/** One item of one channel. */
export type Subscriber = {
  readonly receiver: ChangeReceiver;
  readonly id: number;
  /** Commits up to here happened before the subscription. */
  readonly sinceLsn: bigint;
};

/** Subscribers with one interest. */
export type Group = {
  readonly interest: Interest;
  readonly key: string;
  readonly subscribers: Set<Subscriber>;
};

/** All subscriptions of an instance, by table. */
export interface SubscriptionIndex {
  /** Adds a subscriber; the function takes it out again. */
  add(interest: Interest, subscriber: Subscriber): () => void;
  /** Groups that a change of this kind may concern, filters aside. */
  candidates(relation: RelationInfo, kind: ChangeKind): Group[];
  /** Whether anybody listens to a table. */
  hasInterest(schema: string, table: string): boolean;
}

const placeKey = (schema: string, table: string): string => JSON.stringify([schema, table]);

const groupKey = ({ event, filters, select, role, claims }: Interest): string =>
  JSON.stringify([
    event,
    filters.map(({ column, op, value, negate }) => [column, op, value, negate]).sort(),
    select === null ? null : [...select].sort(),
    role,
    claims,
  ]);

/** Creates an empty index. */
export function createSubscriptionIndex(): SubscriptionIndex {
  const places = new Map<string, Map<string, Group>>();
  const placesOf = (schema: string, table: string): Map<string, Group>[] =>
    [placeKey(schema, table), placeKey(schema, '*'), placeKey('*', table), placeKey('*', '*')].flatMap(
      (key) => places.get(key) ?? [],
    );
  return {
    add(interest, subscriber) {
      const place = placeKey(interest.schema, interest.table);
      const groups = places.get(place) ?? new Map<string, Group>();
      places.set(place, groups);
      const key = groupKey(interest);
      const group = groups.get(key) ?? { interest, key, subscribers: new Set() };
      groups.set(key, group);
      group.subscribers.add(subscriber);
      return () => {
        group.subscribers.delete(subscriber);
        if (group.subscribers.size === 0) groups.delete(key);
        if (groups.size === 0) places.delete(place);
      };
    },
    candidates: (relation, kind) =>
      placesOf(relation.schema, relation.name).flatMap((groups) =>
        [...groups.values()].filter(({ interest }) => interest.event === '*' || interest.event === kind),
      ),
    hasInterest: (schema, table) => placesOf(schema, table).length > 0,
  };
}
