import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/realtime/canonical-json.ts';
import { parseArrayText } from '../../src/realtime/changes/array-text.ts';
import { evaluate } from '../../src/realtime/changes/compare.ts';
import { parseFilters } from '../../src/realtime/changes/filter.ts';
import { createPresenceTopic } from '../../src/realtime/channel/presence.ts';
import { createStreamDecoder } from '../../src/realtime/feed/pgoutput.ts';
import { serializerV1 } from '../../src/realtime/socket/serializer-v1.ts';
import { serializerV2 } from '../../src/realtime/socket/serializer-v2.ts';

describe('frames', () => {
  it('of any bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isBinary) => {
        serializerV1.decode(Buffer.from(bytes), isBinary);
        serializerV2.decode(Buffer.from(bytes), isBinary);
      }),
    );
  });

  it('of messages come back as they were', () => {
    const ref = fc.option(fc.string(), { nil: null });
    fc.assert(
      fc.property(ref, ref, fc.string(), fc.string(), fc.jsonValue(), (joinRef, ref, topic, event, value) => {
        const frame = serializerV2.push({ joinRef, ref, topic, event, payload: JSON.stringify(value) });
        expect(serializerV2.decode(frame.data, false)).toEqual({
          joinRef,
          ref,
          topic,
          event,
          payload: { kind: 'json', value: JSON.parse(JSON.stringify(value)) },
        });
      }),
    );
  });
});

describe('the change stream', () => {
  it('answers any bytes with a message or a RangeError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...'BCRIUDTYOM'), fc.uint8Array({ maxLength: 100 }), (tag, bytes) => {
        const decode = createStreamDecoder(() => true);
        try {
          decode(Buffer.concat([Buffer.from(tag), Buffer.from(bytes)]));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('filters', () => {
  it('give back any quoted value', () => {
    const quote = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (values) => {
        const text = values.map((value, i) => `c${i}=eq.${quote(value)}`).join(',');
        const parsed = parseFilters(text);
        expect(parsed.ok && parsed.value.map(({ value }) => value)).toEqual(values);
      }),
    );
  });

  it('order decimals as integers of one scale', () => {
    const numeric = { oid: 1700, schema: 'pg_catalog', name: 'numeric', shape: { kind: 'scalar' } } as const;
    const decimal = fc.tuple(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.nat(6));
    const print = ([units, scale]: [bigint, number]): string => {
      const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
      const whole = digits.slice(0, digits.length - scale);
      return `${units < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
    };
    fc.assert(
      fc.property(decimal, decimal, (left, right) => {
        const scaled = ([units, scale]: [bigint, number]): bigint => units * 10n ** BigInt(6 - scale);
        const filter = { column: 'c', op: 'lt', value: print(right), negate: false } as const;
        expect(evaluate(filter, numeric, print(left))).toBe(scaled(left) < scaled(right));
      }),
    );
  });
});

describe('arrays', () => {
  it('are read as the server writes them', () => {
    const print = (items: readonly (string | null)[]): string =>
      `{${items.map((item) => (item === null ? 'NULL' : `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)).join(',')}}`;
    fc.assert(
      fc.property(fc.array(fc.option(fc.string(), { nil: null })), (items) => {
        expect(parseArrayText(print(items), ',')).toEqual(items);
      }),
    );
  });
});

describe('canonical JSON', () => {
  it('means the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

type Metas = Record<string, { metas: { phx_ref: string }[] }>;

/** What a client makes of a difference. */
function apply(state: Metas, diff: { joins: Metas; leaves: Metas }): Metas {
  const next = new Map(Object.entries(state).map(([key, { metas }]) => [key, [...metas]]));
  for (const [key, { metas }] of Object.entries(diff.joins)) {
    const refs = new Set(metas.map(({ phx_ref }) => phx_ref));
    next.set(key, [...(next.get(key) ?? []).filter(({ phx_ref }) => !refs.has(phx_ref)), ...metas]);
  }
  for (const [key, { metas }] of Object.entries(diff.leaves)) {
    const refs = new Set(metas.map(({ phx_ref }) => phx_ref));
    const left = (next.get(key) ?? []).filter(({ phx_ref }) => !refs.has(phx_ref));
    if (left.length === 0) next.delete(key);
    else next.set(key, left);
  }
  return Object.fromEntries([...next].map(([key, metas]) => [key, { metas }]));
}

const sorted = (state: Metas): unknown =>
  Object.entries(state)
    .map(([key, { metas }]) => [key, metas.map(({ phx_ref }) => phx_ref).sort()])
    .sort();

describe('presence', () => {
  it('converges: the differences add up to the state', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('track' as const), member: fc.nat(4), key: fc.constantFrom('a', 'b') }),
      fc.record({ kind: fc.constant('untrack' as const), member: fc.nat(4) }),
      fc.record({ kind: fc.constant('tell' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const topic = createPresenceTopic();
        const keys = new Map<number, string>();
        let client: Metas = {};
        let ref = 0;
        const tell = (): void => {
          const diff = topic.takeDiff();
          if (diff !== null) client = apply(client, JSON.parse(diff));
        };
        for (const each of steps) {
          if (each.kind === 'tell') tell();
          else if (each.kind === 'untrack') topic.untrack(String(each.member));
          else {
            // A channel keeps its key for life.
            const key = keys.get(each.member) ?? each.key;
            keys.set(each.member, key);
            topic.track({
              member: String(each.member),
              key,
              meta: { phxRef: String(ref++), previous: null, payload: '{}' },
            });
          }
        }
        tell();
        expect(sorted(client)).toEqual(sorted(JSON.parse(topic.state())));
      }),
    );
  });
});
