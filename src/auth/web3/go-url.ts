/** The parts of a URL as Go's `net/url` keeps them, and `encoding/json` writes them. */
export type GoUrl = Readonly<Record<string, string | boolean | null | Readonly<Record<string, never>>>>;

/** Takes a URL with a host apart; what Go would say otherwise of stranger ones is not imitated. */
export function goUrl(text: string): GoUrl {
  const [, scheme = '', authority = '', path = '', query] =
    /^([^:/?#]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(text) ?? [];
  const at = authority.lastIndexOf('@');
  return {
    Scheme: scheme.toLowerCase(),
    Opaque: '',
    // What is before the host is kept, and not told of.
    User: at < 0 ? null : {},
    Host: authority.slice(at + 1),
    Path: path,
    Fragment: '',
    RawQuery: query ?? '',
    RawPath: '',
    RawFragment: '',
    ForceQuery: query === '',
    OmitHost: false,
  };
}
