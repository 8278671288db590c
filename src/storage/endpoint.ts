import type { ParsedUrlQuery } from 'node:querystring';
import type { HttpReply, HttpRequest } from '../http/exchange.ts';
import type { Call } from './call.ts';
import type { StorageDeps } from './deps.ts';

/** What a request brings, before its schema has read it. */
type RawInput = {
  readonly query: ParsedUrlQuery;
  /** Parsed JSON; undefined where there was no body or the route takes bytes. */
  readonly body: unknown;
  readonly request: HttpRequest;
};

/** One operation of the REST family: how its input is read, and what it does. */
export type Endpoint<Input> = {
  /** Throws `InvalidSchema`. Runs before the request's token is looked at, as upstream validates first. */
  readonly input: (raw: RawInput) => Input;
  readonly handle: (deps: StorageDeps, call: Call<Input>) => Promise<HttpReply>;
};

/** An endpoint whose input's type only it knows. */
export interface SomeEndpoint {
  input(raw: RawInput): unknown;
  handle(deps: StorageDeps, call: Call<never>): Promise<HttpReply>;
}

/** Declares an endpoint. */
export const endpoint = <Input>(definition: Endpoint<Input>): Endpoint<Input> => definition;

/** The input of an endpoint that takes none. */
export const noInput = (): null => null;
