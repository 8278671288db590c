import type { HTTPMethod } from 'find-my-way';
import type { HttpReply } from '../../http/exchange.ts';
import type { AdminCall, Call, UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { demandAdmin, demandPermanentUser, demandUser } from '../guard.ts';
import type { LimiterName } from '../limits/limits.ts';

/** Answers one kind of request. */
export type Endpoint = (context: AuthContext, call: Call) => Promise<HttpReply>;

/** A line of the table of contents. */
export type Route = {
  readonly method: HTTPMethod;
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Limit per address; endpoints whose limit depends on the body ask for it themselves. */
  readonly limit?: LimiterName;
  /** Whether a captcha may be demanded. */
  readonly captcha?: true;
};

/** For signed-in users. */
export const user =
  (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandUser(context, call));

/** For admins. */
export const admin =
  (endpoint: (context: AuthContext, call: AdminCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandAdmin(context, call));

/** For signed-in users who are not anonymous. */
export const permanent =
  (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandPermanentUser(context, call));

/** Puts the switch of a feature before everything else about it, its guard included. */
export const behind =
  (demand: (context: AuthContext) => void) =>
  (endpoint: Endpoint): Endpoint =>
  async (context, call) => {
    demand(context);
    return endpoint(context, call);
  };
