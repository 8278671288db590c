import { describe, expect, it } from 'vitest';
import { serializerFor } from '../../../src/realtime/socket/serializer.ts';
import { serializerV1 } from '../../../src/realtime/socket/serializer-v1.ts';
import { serializerV2 } from '../../../src/realtime/socket/serializer-v2.ts';

const text = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** A frame of kind 3: joinRef, ref, topic, event, metadata, encoding, payload. */
function userPush(
  fields: readonly [string, string, string, string, string],
  encoding: number,
  payload: Buffer,
): Buffer {
  const parts = fields.map((field) => Buffer.from(field));
  return Buffer.concat([Buffer.from([3, ...parts.map((part) => part.length), encoding]), ...parts, payload]);
}

describe('the version', () => {
  it.each([
    [null, 1],
    ['1.0.0', 1],
    ['1.0.7', 1],
    ['2.0.0', 2],
    ['2.1.0', undefined],
    ['3.0.0', undefined],
    ['', undefined],
  ])('%s chooses the serializer', (asked, version) => {
    expect(serializerFor(asked)?.version).toBe(version);
  });
});

describe('protocol 1.0.0', () => {
  it('reads objects, with or without a join_ref', () => {
    const message = { topic: 't', event: 'e', payload: { a: 1 }, ref: '7' };
    const read = { topic: 't', event: 'e', payload: { kind: 'json', value: { a: 1 } }, ref: '7' };
    expect(serializerV1.decode(text(message), false)).toEqual({ ...read, joinRef: null });
    expect(serializerV1.decode(text({ ...message, join_ref: '1' }), false)).toEqual({
      ...read,
      joinRef: '1',
    });
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '1',
    '{"topic":"t","event":"e"}',
    '{"topic":1,"event":"e","ref":"1"}',
    '{"event":"e","ref":"1"}',
  ])('drops %s', (frame) => {
    expect(serializerV1.decode(text(frame), false)).toBeNull();
  });

  it('drops binary frames', () => {
    expect(serializerV1.decode(userPush(['1', '2', 't', 'e', ''], 1, text('{}')), true)).toBeNull();
  });

  it('writes four keys', () => {
    const reply = serializerV1.reply({
      joinRef: '1',
      ref: '2',
      topic: 't',
      status: 'ok',
      response: '{"a":1}',
    });
    expect(JSON.parse(String(reply.data))).toEqual({
      topic: 't',
      event: 'phx_reply',
      payload: { status: 'ok', response: { a: 1 } },
      ref: '2',
    });
    const push = serializerV1.push({ joinRef: '1', ref: null, topic: 't"', event: 'e', payload: '{}' });
    expect(JSON.parse(String(push.data))).toEqual({ topic: 't"', event: 'e', payload: {}, ref: null });
  });
});

describe('protocol 2.0.0', () => {
  it('reads arrays of five and ignores what follows', () => {
    const read = { joinRef: '1', ref: '2', topic: 't', event: 'e', payload: { kind: 'json', value: {} } };
    expect(serializerV2.decode(text(['1', '2', 't', 'e', {}]), false)).toEqual(read);
    expect(serializerV2.decode(text(['1', '2', 't', 'e', {}, 'more']), false)).toEqual(read);
  });

  it.each(['', '[', '{}', '[1,2,3]', '["1","2",3,"e",{}]', '[{},"2","t","e",{}]'])('drops %s', (frame) => {
    expect(serializerV2.decode(text(frame), false)).toBeNull();
  });

  it('reads user broadcasts with every length at its ends', () => {
    const long = `${'ü'.repeat(127)}x`;
    for (const field of ['', long]) {
      const decoded = serializerV2.decode(
        userPush([field, field, field, field, field], 0, Buffer.from([0, 255])),
        true,
      );
      expect(decoded).toEqual({
        joinRef: field === '' ? null : field,
        ref: field === '' ? null : field,
        topic: field,
        event: 'broadcast',
        payload: { kind: 'user-broadcast', event: field, encoding: 'binary', data: Buffer.from([0, 255]) },
      });
    }
  });

  it('takes any encoding but zero for JSON', () => {
    const decoded = serializerV2.decode(userPush(['1', '2', 't', 'e', '{}'], 9, Buffer.alloc(0)), true);
    expect(decoded?.payload).toEqual({
      kind: 'user-broadcast',
      event: 'e',
      encoding: 'json',
      data: Buffer.alloc(0),
    });
  });

  it.each([
    [[]],
    [[3]],
    [[3, 1, 1, 1, 1, 1, 1]],
    [[3, 255, 255, 255, 255, 255, 0, 1]],
    [[0, 1]],
    [[9, 0, 0, 0, 0]],
  ])('drops the binary frame %j', (bytes) => {
    expect(serializerV2.decode(Buffer.from(bytes), true)).toBeNull();
  });

  it.each([
    ['JSON', 'json', null, [4, 1, 2, 0, 1]],
    ['bytes', 'binary', null, [4, 1, 2, 0, 0]],
    ['metadata', 'json', '{"id":1}', [4, 1, 2, 8, 1]],
  ] as const)('writes a user broadcast of %s byte for byte', (_, encoding, metadata, header) => {
    const frame = serializerV2.userBroadcast({
      topic: 't',
      event: 'ev',
      encoding,
      metadata,
      data: Buffer.from('{}'),
    });
    expect(frame?.data).toEqual(Buffer.concat([Buffer.from(header), Buffer.from(`tev${metadata ?? ''}{}`)]));
  });

  it('cannot carry a name of more than 255 bytes in a binary frame', () => {
    const frame = serializerV2.userBroadcast({
      topic: 'x'.repeat(256),
      event: 'e',
      encoding: 'json',
      metadata: null,
      data: Buffer.from('{}'),
    });
    expect(frame).toBeNull();
  });
});
