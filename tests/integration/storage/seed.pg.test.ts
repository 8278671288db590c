import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { seedBuckets } from '../../../src/storage/seed.ts';
import { createProject } from '../../support/project.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage();
const { call, deps, serviceKey: token } = instance;

it('makes the buckets of a project and fills them, once or twice', async () => {
  const project = await createProject({
    'supabase/config.toml': `
      [storage]
      file_size_limit = "5MB"
      [storage.buckets.images]
      public = true
      file_size_limit = "1MB"
      allowed_mime_types = ["image/png", "text/*"]
      objects_path = "./images"
      [storage.buckets.plain]
    `,
    'supabase/images/a.png': 'png',
    'supabase/images/deep/er/notes.txt': 'notes',
  });
  const { config } = loadConfig({ projectDir: project, env: {}, flags: {} });
  // The CLI's units are binary.
  expect(config.storage.fileSizeLimit).toBe(5 * 1024 ** 2);
  for (let i = 0; i < 2; i++) {
    const report = await seedBuckets(deps, config.storage.buckets, join(project, 'supabase'));
    expect(report).toEqual({ buckets: 2, files: 2 });
  }
  expect((await call('GET', '/bucket/images', { token })).json()).toMatchObject({
    public: true,
    file_size_limit: 1024 ** 2,
    allowed_mime_types: ['image/png', 'text/*'],
  });
  expect((await call('GET', '/bucket/plain', { token })).json()).toMatchObject({
    public: false,
    file_size_limit: null,
  });
  const notes = await call('GET', '/object/public/images/deep/er/notes.txt');
  expect([notes.text, notes.headers.get('content-type'), notes.headers.get('cache-control')]).toEqual([
    'notes',
    'text/plain; charset=utf-8',
    'max-age=3600',
  ]);
});
