#!/usr/bin/env node
import { leaveTerminalClean } from './interrupt.ts';
import { run } from './program.ts';

// A reader that goes away (`ownbase status | head -1`) is no fault, and must not end a running backend.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
leaveTerminalClean();
process.exitCode = await run(process.argv.slice(2));
