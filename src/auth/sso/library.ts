import { ssoFailure } from '../failures/sso.ts';

/** The library is optional: without it SAML cannot be used, and everything else can. */
async function orRefuse<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (cause) {
    const failure = ssoFailure.notInstalled();
    failure.cause = cause;
    throw failure;
  }
}

/** The SAML library; refuses with `feature_disabled` where it is not installed. */
export const loadSaml = () => orRefuse(import('@node-saml/node-saml'));

/** Its functions on XML and signatures. */
export const loadSamlXml = () => orRefuse(import('@node-saml/node-saml/lib/xml.js'));
