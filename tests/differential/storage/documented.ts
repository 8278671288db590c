/** A difference that docs/differences.md names: the steps at which it shows. */
export type Documented = { readonly step: RegExp; readonly scenario: RegExp; readonly why: string };

const everywhere = /./;

/** What differs on purpose. */
export const documented: readonly Documented[] = [
  {
    scenario: /^downloads: ranges/,
    step: /^none-match|^both later|^if-range|^modified since same/,
    why: 'conditions as HTTP has them',
  },
  { scenario: /^downloads: ranges/, step: /^damaged/, why: 'damaged rows' },
  { scenario: /^downloads: ranges/, step: /type TEXT\/HTML$/, why: 'documents that hold scripts' },
  { scenario: everywhere, step: /%00$/, why: 'names with a NUL' },
  { scenario: /^uploads: names/, step: /^put .*\.|^put .*%2e/, why: 'texts without internal paths' },
  {
    scenario: /^(uploads: names|downloads: signed)/,
    step: /^(sign|signed|get|head|range) (%2B|q|a%2Fb|p\+q|x&y|eq=)/,
    why: 'names in signed URLs',
  },
  { scenario: /signed/, step: /^without end$|^empty$/, why: 'tokens without an end' },
  { scenario: /signed/, step: /^signed token as bearer/, why: 'tokens of signed URLs are no sessions' },
  { scenario: /^downloads: signed/, step: /^sign .*"transform":/, why: 'transformations in tokens' },
  { scenario: /^uploads: forms/, step: /^large metadata$|^rows$/, why: 'large metadata' },
  { scenario: /^buckets: creation/, step: /ANALYTICS/, why: 'analytics buckets are off' },
  { scenario: /^listings/, step: /"order":"desc"/, why: 'names in descending order' },
  { scenario: everywhere, step: /\/(version|documentation|status)( |$)/, why: 'descriptions of the server' },
  {
    scenario: /^downloads: (every|rendering)/,
    step: /public\/(shut|none)/,
    why: 'upstream answers with what fails first',
  },
  {
    scenario: /^s3/,
    step: /^(url|long url|skewed|negative|wrong payload)/,
    why: 'signatures are held to their time and body',
  },
  {
    scenario: /^s3/,
    step: /\?(acl|cors|lifecycle|policy|tagging|object-lock|torrent|attributes|versionId)=/,
    why: 'parts of objects that are not served',
  },
  { scenario: /^s3: buckets/, step: /^GET|^page|^DELETE $/, why: 'listings as AWS has them' },
  {
    scenario: /^s3: objects/,
    step: /^if-none-match tag|^copy (encoded|if-|replace)|^rows|^delete many|overrides|modified-since|folder|^name:/,
    why: 'conditions and encodings as AWS has them',
  },
  {
    scenario: /^s3: uploads/,
    step: /^(complete|part|list|copy part|abort|head|tail|begin without type|uploads|rows|delete)/,
    why: 'parts as AWS has them',
  },
  { scenario: /^s3/, step: /HEAD|user lists/, why: 'heads name what ranges are in' },
  { scenario: /^resumable/, step: /(head|patch|delete) .*\.\.\//, why: 'texts without internal paths' },
  { scenario: /^listings: pages/, step: /^page \{\.\.\.\}$/, why: 'cursors that are none' },
  { scenario: /^resumable/, step: /^(preflight|read|rows after)/, why: 'ETags, preflights' },
  { scenario: /^resumable/, step: /^(length 10|name )/, why: 'lists of types count without a type too' },
];
