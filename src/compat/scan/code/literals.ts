import type { LocalFinding } from '../feature.ts';
import type { Literal, Source } from './chain.ts';

/** Addresses that tell which service a program asks without a client library. */
const addresses: readonly (readonly [RegExp, string])[] = [
  [/\/rest\/v1(\/|$|\?)/, 'rest.http'],
  [/\/auth\/v1(\/|$|\?)/, 'auth.http'],
  [/\/storage\/v1\/upload\/resumable/, 'storage.upload.resumable'],
  [/\/storage\/v1\/s3/, 'storage.s3'],
  [/\/storage\/v1\/render\/image/, 'storage.transform'],
  [/\/storage\/v1\/(?!upload\/resumable|s3|render\/image)/, 'storage.http'],
  [/\/realtime\/v1(\/|$|\?)/, 'realtime.http'],
  [/\/functions\/v1(\/|$|\?)/, 'functions.invoke'],
  [/\/graphql\/v1/, 'graphql'],
  [/\bapi\.supabase\.com\b/, 'client.management'],
];

/** Uses of the services by their addresses. */
export function findAddresses(literals: readonly Literal[]): LocalFinding[] {
  return literals.flatMap(({ text, line }) =>
    addresses.flatMap(([pattern, feature]) => {
      const what = pattern.exec(text)?.[0];
      return what === undefined ? [] : [{ feature, line, what }];
    }),
  );
}

const PACKAGE =
  /^(@supabase\/|package:supabase|io\.github\.jan\.supabase|Supabase$|supabase$|supabase_auth_ui)/;

/** Client libraries that a file imports. */
export function findPackages(imports: Source['imports']): LocalFinding[] {
  return imports
    .filter(({ module }) => PACKAGE.test(module))
    .map(({ module, line }) => ({ feature: 'client.package', line, what: module }));
}
