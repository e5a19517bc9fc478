'use strict';
// bank authorises payments, and half a second to two seconds later sends the gateway its capture notice.

const { stop } = require('./telemetry');
const http = require('node:http');
const { trace, TraceFlags } = require('@opentelemetry/api');
const { logs, SeverityNumber } = require('@opentelemetry/api-logs');

const PORT = 7104;
const DECLINED_RATIO = 0.01;
const logger = logs.getLogger('bank');
// Every service of the shop listens on this machine, so every host name leads to loopback.
const agent = new http.Agent({ keepAlive: true, lookup: (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4) });

// Keeps every warning and error, and of the other lines those of a sampled trace, as the Go services do.
function log(severityText, body, attributes = {}) {
  const span = trace.getActiveSpan();
  const sampled = !span || (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
  if (severityText === 'INFO' && !sampled) return;
  logger.emit({ severityText, severityNumber: SeverityNumber[severityText], body, attributes });
}

function notify(id) {
  const request = http.request({ agent, method: 'POST', host: 'payment', port: 7103, path: '/captures',
    headers: { 'Content-Type': 'application/json' }, timeout: 5000 });
  request.on('response', (response) => {
    response.resume();
    if (response.statusCode !== 200) log('WARN', `capture notice of ${id} refused with status ${response.statusCode}`);
  });
  request.on('timeout', () => request.destroy(new Error('no answer in time')));
  request.on('error', (error) => log('WARN', `capture notice of ${id} not delivered: ${error.message}`));
  request.end(JSON.stringify({ id }));
}

function authorise(ask, response) {
  const id = `auth-${Math.random().toString(16).slice(2, 14)}`;
  const approved = Math.random() >= DECLINED_RATIO;
  log('INFO', `authorisation ${id} for order ${ask.order} ${approved ? 'approved' : 'declined'}`);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ id, approved }));
  if (approved) setTimeout(notify, 500 + Math.random() * 1500, id);
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (request.method !== 'POST' || request.url !== '/authorisations') {
      response.writeHead(404).end();
      return;
    }
    const ask = JSON.parse(Buffer.concat(parts).toString());
    setTimeout(authorise, 6 + Math.random() * 14, ask, response);
  });
});

server.listen(PORT, '127.0.0.1', () => log('INFO', 'service started'));
process.on('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
  stop().finally(() => process.exit(0));
});
