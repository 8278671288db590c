/** Ends a subscription. */
export type Unsubscribe = () => void;

/**
 * Carries messages between the instances of one project. Delivery is at most once; messages of one publisher on one
 * subject arrive in order. A publisher does not hear its own messages. While the connection to the others is lost,
 * messages are dropped.
 */
export interface Bus {
  /** Whether other instances may listen; without any, nothing needs to be published. */
  readonly isShared: boolean;
  publish(subject: string, message: Buffer): void;
  /** `onReady` is called once, when what others publish from now on arrives. */
  subscribe(subject: string, receive: (message: Buffer) => void, onReady?: () => void): Unsubscribe;
  /** Calls back each time the connection to the others is back after a loss: messages in between are gone. */
  onHealed(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}
