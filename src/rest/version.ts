/** The release whose behaviour the service has; the OpenAPI document and the `Server` header name it. */
export const postgrestVersion = '14.17';
