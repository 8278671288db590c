import type { Bus } from '../../cluster/bus.ts';

/** The other instances, as far as their signs of life tell. */
export interface Peers {
  /** Says that this instance lives, and gives up those that have been silent for too long. */
  beat(): void;
  /** Notes the instance of a member that was tracked: one that dies before its first sign of life is given up too. */
  sawMember(member: string): void;
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
  /** Another instance was cut off for a while: it may have missed what was said, and the others what it said. */
  readonly onBack: (peer: string) => void;
  /** This instance was cut off for a while. */
  readonly onReturn: () => void;
};

const subject = 'realtime.instances';
const silenceMs = 10_000;

/** Starts to listen for the others. */
export function createPeers({ bus, self, now, onGone, onBack, onReturn }: PeersOptions): Peers {
  const lastSign = new Map<string, number>();
  let lastBeat = now();
  const say = (word: 'alive' | 'back' | 'gone'): void => {
    if (bus.isShared) bus.publish(subject, Buffer.from(`${word} ${self}`));
  };
  const receive = (bytes: Buffer): void => {
    const [word, peer] = bytes.toString('utf8').split(' ');
    if (peer === undefined) return;
    if (word === 'gone') {
      if (lastSign.delete(peer)) onGone(peer);
      return;
    }
    const isNew = !lastSign.has(peer);
    lastSign.set(peer, now());
    // A newcomer hears of who is there at once: it could not give up one that it has never heard.
    if (isNew) say('alive');
    if (word === 'back') onBack(peer);
  };
  const stopListening = bus.subscribe(subject, receive, () => say('alive'));
  const comeBack = (): void => {
    say('back');
    onReturn();
  };
  const stopHealing = bus.onHealed(comeBack);
  return {
    beat() {
      const pause = now() - lastBeat;
      lastBeat = now();
      // A process that stood still has been given up by the others.
      if (pause > silenceMs) {
        for (const peer of lastSign.keys()) lastSign.set(peer, now());
        comeBack();
        return;
      }
      say('alive');
      for (const [peer, at] of lastSign) {
        if (now() - at <= silenceMs) continue;
        lastSign.delete(peer);
        onGone(peer);
      }
    },
    sawMember(member) {
      const peer = member.slice(0, member.lastIndexOf('.'));
      if (!lastSign.has(peer)) lastSign.set(peer, now());
    },
    leave() {
      say('gone');
      stopListening();
      stopHealing();
    },
  };
}
