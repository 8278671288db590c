import type { Unsubscribe } from './bus.ts';

/** What a subject's first listener opens at the broker, and its last one closes. */
interface Upstream {
  /** `onReady` is called when messages arrive; at once when they do already. */
  open(subject: string, onReady: () => void): void;
  close(subject: string): void;
}

/** The listeners of one instance by subject, so that the broker is asked for each subject once. */
export interface Listeners {
  add(subject: string, receive: (message: Buffer) => void, onReady?: () => void): Unsubscribe;
  deliver(subject: string, message: Buffer): void;
}

type Subject = { readonly receivers: Set<(message: Buffer) => void>; readonly waiting: Set<() => void> };

/** Creates an empty set of listeners. */
export function createListeners(upstream: Upstream): Listeners {
  const subjects = new Map<string, Subject>();
  const ready = new Set<string>();
  const open = (name: string): Subject => {
    const subject: Subject = { receivers: new Set(), waiting: new Set() };
    subjects.set(name, subject);
    upstream.open(name, () => {
      if (subjects.get(name) !== subject) return;
      ready.add(name);
      for (const wake of subject.waiting) wake();
      subject.waiting.clear();
    });
    return subject;
  };
  return {
    add(name, receive, onReady) {
      // Two subscriptions of one function are two.
      const receiver = (message: Buffer): void => receive(message);
      const subject = subjects.get(name) ?? open(name);
      subject.receivers.add(receiver);
      if (onReady !== undefined) {
        if (ready.has(name)) onReady();
        else subject.waiting.add(onReady);
      }
      return () => {
        if (!subject.receivers.delete(receiver)) return;
        if (onReady !== undefined) subject.waiting.delete(onReady);
        if (subject.receivers.size > 0 || subjects.get(name) !== subject) return;
        subjects.delete(name);
        ready.delete(name);
        upstream.close(name);
      };
    },
    deliver(name, message) {
      for (const receive of [...(subjects.get(name)?.receivers ?? [])]) receive(message);
    },
  };
}
