import { createPublicKey, type KeyObject, sign } from 'node:crypto';

/*
 * The certificate that carries the service provider's public key. Identity providers store it, so it has to stay what
 * upstream makes of the same key and host, byte for byte: a project that moves keeps its SAML connections.
 */

const tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
} as const;

function lengthOf(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const hex = size.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** One value of DER: tag, length, content. */
function der(kind: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([kind]), lengthOf(content.length), content]);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

const oids = {
  commonName: hex('55 04 03'),
  keyUsage: hex('55 1d 0f'),
  subjectAltName: hex('55 1d 11'),
  sha256WithRsa: hex('2a 86 48 86 f7 0d 01 01 0b'),
} as const;

const isPrintable = (text: string): boolean => /^[A-Za-z0-9 '()+,./:=?-]*$/.test(text);

const derTrue = hex('01 01 ff');
const derNull = hex('05 00');

/** digitalSignature, and dataEncipherment where assertions may come encrypted. */
const keyUsage = (canDecrypt: boolean): Buffer => (canDecrypt ? hex('04 90') : hex('07 80'));

/**
 * The certificate of a key for a host, as DER.
 * Upstream: internal/conf/saml.go (populateFields), with the encoding of Go's crypto/x509.
 */
export function samlCertificate(key: KeyObject, host: string, canDecrypt: boolean): Buffer {
  const algorithm = der(tag.sequence, der(tag.oid, oids.sha256WithRsa), derNull);
  const commonName = `SAML 2.0 Certificate for ${host}`;
  const text = der(isPrintable(commonName) ? tag.printable : tag.utf8, Buffer.from(commonName));
  const name = der(tag.sequence, der(tag.set, der(tag.sequence, der(tag.oid, oids.commonName), text)));
  const validity = der(
    tag.sequence,
    der(tag.utcTime, ascii('700101000000Z')),
    der(tag.generalizedTime, ascii('21700101000000Z')),
  );
  const extensions = der(
    tag.sequence,
    der(
      tag.sequence,
      der(tag.oid, oids.keyUsage),
      derTrue,
      der(tag.octetString, der(tag.bitString, keyUsage(canDecrypt))),
    ),
    der(
      tag.sequence,
      der(tag.oid, oids.subjectAltName),
      der(tag.octetString, der(tag.sequence, der(tag.dnsName, ascii(`_samlsp.${host}`)))),
    ),
  );
  const body = der(
    tag.sequence,
    der(tag.version, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, Buffer.from([0])),
    algorithm,
    name,
    validity,
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(tag.extensions, extensions),
  );
  const signature = sign('sha256', body, key);
  return der(tag.sequence, body, algorithm, der(tag.bitString, Buffer.from([0]), signature));
}
