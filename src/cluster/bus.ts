/** Ends a subscription. */
export type Unsubscribe = () => void;

/**
 * Carries messages between the instances of one project. Delivery is at most once; messages of one publisher on one
 * subject arrive in order. A publisher does not hear its own messages.
 */
export interface Bus {
  /** Whether other instances may listen; without any, nothing needs to be published. */
  readonly isShared: boolean;
  publish(subject: string, message: Buffer): void;
  subscribe(subject: string, receive: (message: Buffer) => void): Unsubscribe;
  close(): Promise<void>;
}
