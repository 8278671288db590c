import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/observe/metrics.ts';

const dashboard = readFileSync(new URL('../../../docs/grafana-dashboard.json', import.meta.url), 'utf8');

describe('the Grafana dashboard in docs/', () => {
  it('asks for metrics that an instance has, and shows all of them', async () => {
    const { text } = createMetrics({});
    const names = [...(await text()).matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '']) => name);
    const asked = [...dashboard.matchAll(/ownbase_[a-z_]+/g)].map(([name]) =>
      name.replace(/_(bucket|count|sum)$/, ''),
    );
    expect([...new Set(asked)].filter((name) => name !== '').sort()).toEqual([...names].sort());
  });
});
