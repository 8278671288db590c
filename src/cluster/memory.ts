import type { Bus } from './bus.ts';

/** A network of buses inside one process. */
export interface MemoryNetwork {
  /** A bus of one more instance. */
  join(): Bus;
}

type Subscription = { readonly owner: symbol; readonly receive: (message: Buffer) => void };

/** Joins instances that live in one process. */
export function createMemoryNetwork(): MemoryNetwork {
  const subjects = new Map<string, Set<Subscription>>();
  return { join: () => joinNetwork(subjects) };
}

function joinNetwork(subjects: Map<string, Set<Subscription>>): Bus {
  const owner = Symbol('instance');
  return {
    isShared: true,
    publish(subject, message) {
      for (const subscription of subjects.get(subject) ?? []) {
        if (subscription.owner !== owner) subscription.receive(message);
      }
    },
    subscribe(subject, receive, onReady) {
      const subscription: Subscription = { owner, receive };
      const listeners = subjects.get(subject) ?? new Set();
      subjects.set(subject, listeners.add(subscription));
      onReady?.();
      return () => {
        listeners.delete(subscription);
        if (listeners.size === 0) subjects.delete(subject);
      };
    },
    onHealed: () => () => {},
    async close() {
      for (const [subject, listeners] of subjects) {
        for (const subscription of listeners)
          if (subscription.owner === owner) listeners.delete(subscription);
        if (listeners.size === 0) subjects.delete(subject);
      }
    },
  };
}

/** The bus of an instance that is alone: there is nobody to talk to. */
export const soloBus: Bus = {
  isShared: false,
  publish() {},
  subscribe(_subject, _receive, onReady) {
    onReady?.();
    return () => {};
  },
  onHealed: () => () => {},
  async close() {},
};
