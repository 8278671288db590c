/** The services that cases are grouped by. */
export const services = ['rest', 'auth', 'storage', 'realtime'] as const;
export type Service = (typeof services)[number];

/** What a case may need of the target beside its URL and keys. */
export const needs = [
  'database',
  'signup',
  'autoconfirm',
  'anonymous',
  'totp',
  'images',
  'gateway',
  'secret',
] as const;
export type Need = (typeof needs)[number];

/** A value of a case file before its `${names}` are filled in. */
export type Template = unknown;

/** What an answer must be; everything that is given must hold. */
export type Expectation = {
  /** One status, or any of several. */
  readonly status?: number | readonly number[] | undefined;
  /** By lower-case name; `<absent>` for a header that must not be there. */
  readonly headers?: Readonly<Record<string, Template>> | undefined;
  /** The whole JSON body. */
  readonly body?: Template;
  /** A part of the JSON body: objects may have further keys. */
  readonly match?: Template;
  /** Elements that the JSON array must hold, in any order, among others. */
  readonly includes?: readonly Template[] | undefined;
  /** The elements of the top array may come in any order. */
  readonly unordered?: boolean | undefined;
  /** The whole body as text. */
  readonly text?: Template;
};

/** Who asks: `none`, `anon`, `service`, the name of a person made for the run, or a token. */
export type Actor = string;

export type RequestStep = {
  readonly kind: 'request';
  readonly method: string;
  readonly path: string;
  readonly as: Actor;
  readonly headers: Readonly<Record<string, Template>>;
  readonly json?: Template;
  readonly text?: string | undefined;
  /** Base64 of the body's bytes. */
  readonly bytes?: string | undefined;
  readonly form?: readonly FormPart[] | undefined;
  readonly expect: Expectation;
  readonly save: Readonly<Record<string, string>>;
  /** Asks again until the expectation holds or the time of a step is over. */
  readonly eventually: boolean;
};

/** One part of a multipart form; with `file` it is sent as a file. */
export type FormPart = {
  readonly name: string;
  readonly value: string;
  readonly file?: string | undefined;
  readonly type?: string | undefined;
};

export type ConnectStep = {
  readonly kind: 'connect';
  readonly socket: string;
  readonly as: Actor;
  readonly vsn: string;
  /** The status with which the server must refuse the socket; undefined when it must accept. */
  readonly refused?: number | undefined;
};

export type SendStep = { readonly kind: 'send'; readonly socket: string; readonly message: Template };

export type ReceiveStep = {
  readonly kind: 'receive';
  readonly socket: string;
  readonly match: Template;
  readonly save: Readonly<Record<string, string>>;
};

export type SilentStep = {
  readonly kind: 'silent';
  readonly socket: string;
  readonly match: Template;
  readonly ms: number;
};

export type SqlStep = {
  readonly kind: 'sql';
  readonly statement: string;
  readonly rows?: readonly Template[] | undefined;
};

export type SetStep = { readonly kind: 'set'; readonly values: Readonly<Record<string, Template>> };

export type Step = RequestStep | ConnectStep | SendStep | ReceiveStep | SilentStep | SqlStep | SetStep;

/** One behaviour of upstream, as data. */
export type Case = {
  readonly id: string;
  readonly service: Service;
  readonly feature: string;
  readonly title: string;
  /** The method of supabase-js that stops working without it. */
  readonly method: string;
  /** How often real apps depend on it: 1 seldom ... 5 nearly always. */
  readonly weight: number;
  readonly why: string;
  readonly needs: readonly Need[];
  readonly steps: readonly Step[];
};
