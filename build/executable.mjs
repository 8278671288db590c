// npm marks a bin as executable on install; a build run from a clone has to do it itself.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
