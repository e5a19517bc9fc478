// Let a genuine client send to a daemon, and end when it says that it has.
//
//   node send.cjs CLIENT PORT [GRPC-URL]
//     otlp-json, otlp-json-gzip, otlp-proto, otlp-proto-gzip, otlp-grpc, otlp-grpc-gzip: 3 spans, 4 log records, 3 metrics
//     winston, winston-proto, pino: 2 log lines       zipkin: 1 span       pyroscope: profiles for some seconds
//
// Certificates of gRPC over TLS are OpenTelemetry's own variables: OTEL_EXPORTER_OTLP_CERTIFICATE and so on.
//
// The packages are those of package-lock.json, found by NODE_PATH. A client that fails tells so on standard error; most of them
// say "fulfilled" whatever the server answered, so the receiver counts.
'use strict';

const [, , client, port, grpcUrl] = process.argv;
const base = `http://127.0.0.1:${port}`;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function otlp(form, compression) {
  const { diag, DiagConsoleLogger, DiagLogLevel, SpanKind, SpanStatusCode, trace, context } = require('@opentelemetry/api');
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  const { resourceFromAttributes } = require('@opentelemetry/resources');
  const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
  const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
  const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
  const suffix = { json: 'http', proto: 'proto', grpc: 'grpc' }[form];
  const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${suffix}`);
  const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${suffix}`);
  const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${suffix}`);
  const options = (path) => ({ url: form === 'grpc' ? grpcUrl : `${base}/v1/${path}`, compression });
  const resource = resourceFromAttributes({ 'service.name': `client-${form}-${compression}`, 'service.version': '1.0' });

  const tracers = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(options('traces')))] });
  const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(options('logs')) })] });
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(options('metrics')), exportIntervalMillis: 3600000 });
  const meters = new MeterProvider({ resource, readers: [reader] });

  const tracer = tracers.getTracer('tests'), logger = loggers.getLogger('tests'), meter = meters.getMeter('tests');
  const root = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, attributes: { 'http.request.method': 'GET', 'list': ['a', 'b'] } });
  for (const name of ['SELECT', 'redis GET']) {
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT }, trace.setSpan(context.active(), root));
    span.recordException(new Error('made up'));
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }
  root.end();
  for (let i = 0; i < 4; i++)
    logger.emit({ severityNumber: 9, severityText: 'INFO', body: i === 3 ? { nested: { number: i } } : `line ${i}`, attributes: { i } });
  meter.createCounter('requests').add(3, { route: '/cart' });
  meter.createHistogram('duration', { unit: 'ms' }).record(12.5);
  meter.createUpDownCounter('open').add(-1);
  await tracers.forceFlush();
  await loggers.forceFlush();
  await tracers.shutdown();
  await loggers.shutdown();
  await meters.shutdown(); // exports once
}

async function winston(json) {
  const logger = require('winston').createLogger({
    transports: [new (require('winston-loki'))({
      host: base, json, batching: true, interval: 1, labels: { app: 'client-winston' },
      onConnectionError: (error) => console.error(error),
    })],
  });
  logger.info('order placed', { labels: { route: '/cart' }, order: 1 });
  logger.error('payment failed');
  await wait(2500);
}

async function pino() {
  const transport = require('pino').transport({ target: 'pino-loki', options: { host: base, batching: false, labels: { app: 'client-pino' } } });
  const logger = require('pino')(transport);
  logger.info('charged');
  logger.error(new Error('gateway timeout'), 'charge failed');
  await wait(1500);
}

async function zipkin() {
  const { Tracer, ExplicitContext, BatchRecorder, jsonEncoder } = require('zipkin');
  const { HttpLogger } = require('zipkin-transport-http');
  const recorder = new BatchRecorder({ logger: new HttpLogger({ endpoint: `${base}/api/v2/spans`, jsonEncoder: jsonEncoder.JSON_V2, httpInterval: 200 }) });
  const tracer = new Tracer({ ctxImpl: new ExplicitContext(), recorder, localServiceName: 'client-zipkin' });
  tracer.local('work', () => 1);
  await wait(1500);
}

async function pyroscope() {
  const profiler = require('@pyroscope/nodejs');
  profiler.init({ serverAddress: base, appName: 'client-pyroscope', tags: { region: 'eu' }, flushIntervalMs: 1000, wall: { collectCpuTime: true } });
  profiler.start();
  for (const end = Date.now() + 2500; Date.now() < end; await wait(1)) Math.sqrt(Array.from({ length: 20000 }, Math.random).length);
  await profiler.stop();
  await wait(500);
}

const clients = {
  'otlp-json': () => otlp('json', 'none'),
  'otlp-json-gzip': () => otlp('json', 'gzip'),
  'otlp-proto': () => otlp('proto', 'none'),
  'otlp-proto-gzip': () => otlp('proto', 'gzip'),
  'otlp-grpc': () => otlp('grpc', 'none'),
  'otlp-grpc-gzip': () => otlp('grpc', 'gzip'),
  winston: () => winston(true),
  'winston-proto': () => winston(false),
  pino,
  zipkin,
  pyroscope,
};

clients[client]().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
