import type { Bus, Unsubscribe } from '../../cluster/bus.ts';

/** The other instances, as far as their signs of life tell. */
export interface Peers {
  /** Says that this instance lives, and gives up those that have been silent for too long. */
  beat(): void;
  /** Says farewell, so that nobody has to wait for the silence. */
  leave(): void;
}

/** What is needed to keep sight of them. */
export type PeersOptions = {
  readonly bus: Bus;
  /** Name of this instance; its members' ids begin with it and a dot. */
  readonly self: string;
  readonly now: () => number;
  readonly onGone: (peer: string) => void;
};

const subject = 'realtime.instances';
const silenceMs = 10_000;

/** Starts to listen for the others. */
export function createPeers({ bus, self, now, onGone }: PeersOptions): Peers {
  const lastSign = new Map<string, number>();
  const say = (word: 'alive' | 'gone'): void => {
    if (bus.isShared) bus.publish(subject, Buffer.from(`${word} ${self}`));
  };
  const stopListening: Unsubscribe = bus.subscribe(subject, (bytes) => {
    const [word, peer] = bytes.toString('utf8').split(' ');
    if (peer === undefined) return;
    if (word === 'alive') lastSign.set(peer, now());
    else if (lastSign.delete(peer)) onGone(peer);
  });
  say('alive');
  return {
    beat() {
      say('alive');
      for (const [peer, at] of lastSign) {
        if (now() - at <= silenceMs) continue;
        lastSign.delete(peer);
        onGone(peer);
      }
    },
    leave() {
      say('gone');
      stopListening();
    },
  };
}
