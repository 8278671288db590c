/** What a value is, as far as it matters here. */
export type Kind =
  | 'client'
  | 'table'
  | 'query'
  | 'storage'
  | 'bucket'
  | 'auth'
  | 'admin'
  | 'mfa'
  | 'adminMfa'
  | 'oauth'
  | 'adminOauth'
  | 'channel'
  | 'realtime'
  | 'functions';
