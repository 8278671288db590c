import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/*
 * The yardstick of broadcasts: a server that does nothing but send a frame that it has made once. A socket that sends
 * a number has that many frames sent to each of the others.
 */
const server = createServer((_, response) => response.end('ok'));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const frame = Buffer.concat([
  Buffer.from([4, 10, 1, 0, 1]),
  Buffer.from('realtime:xe'),
  Buffer.alloc(100, '1'),
]);

sockets.on('connection', (socket, request) => {
  const isSender = request.url?.includes('sender') === true;
  socket.on('message', (data: Buffer) => {
    if (!isSender) {
      socket.send(`["1","1","realtime:x","phx_reply",{"status":"ok","response":{"postgres_changes":[]}}]`);
      return;
    }
    for (let i = Number(data.toString('utf8')); i > 0; i--) {
      for (const other of sockets.clients) if (other !== socket) other.send(frame, { binary: true });
    }
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
