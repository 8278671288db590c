import type { HttpReply } from '../../http/exchange.ts';
import { requestFailure } from '../failures/request.ts';

/** Anything under /scim/v2: there is no SCIM server here, which is answered as upstream does while it is off. */
export async function refuseScim(): Promise<HttpReply> {
  throw requestFailure.scimDisabled();
}
