// A supervisor in a process of its own, for tests that kill it: prints the pid of its Postgres when ready.
import { startEmbedded } from '../../src/embedded/start.ts';

const [dataDir = '', port = '0'] = process.argv.slice(2);
const server = await startEmbedded({ dataDir, port: Number(port), durable: false });
process.stdout.write(`${server.pid()}\n`);
setInterval(() => {}, 60_000);
