import type { Bus } from './bus.ts';

/** A network of buses inside one process. */
export interface MemoryNetwork {
  /** A bus of one more instance. */
  join(): Bus;
}

type Subscription = { readonly owner: symbol; readonly receive: (message: Buffer) => void };

/** Joins instances that live in one process; a single instance hears nobody. */
export function createMemoryNetwork(): MemoryNetwork {
  const subjects = new Map<string, Set<Subscription>>();
  const instances = new Set<symbol>();
  return { join: () => joinNetwork(subjects, instances) };
}

function joinNetwork(subjects: Map<string, Set<Subscription>>, instances: Set<symbol>): Bus {
  const owner = Symbol('instance');
  instances.add(owner);
  return {
    get isShared() {
      return instances.size > 1;
    },
    publish(subject, message) {
      for (const subscription of subjects.get(subject) ?? []) {
        if (subscription.owner !== owner) subscription.receive(message);
      }
    },
    subscribe(subject, receive) {
      const subscription: Subscription = { owner, receive };
      const listeners = subjects.get(subject) ?? new Set();
      subjects.set(subject, listeners.add(subscription));
      return () => {
        listeners.delete(subscription);
        if (listeners.size === 0) subjects.delete(subject);
      };
    },
    async close() {
      instances.delete(owner);
      for (const [subject, listeners] of subjects) {
        for (const subscription of listeners)
          if (subscription.owner === owner) listeners.delete(subscription);
        if (listeners.size === 0) subjects.delete(subject);
      }
    },
  };
}
