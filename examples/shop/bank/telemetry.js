'use strict';
// Sets up the OpenTelemetry SDK: traces, metrics and logs over OTLP/HTTP as JSON. The standard OTEL_* variables steer
// it. As in the Go services the resource is written by hand and no detector runs.

const { metrics } = require('@opentelemetry/api');
const { logs } = require('@opentelemetry/api-logs');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-http');
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http');

const resource = resourceFromAttributes({
  'service.namespace': 'shop',
  'service.name': 'bank',
  'service.version': '1.4.2',
  'service.instance.id': 'bank-1',
  'host.name': process.env.SHOP_HOST_NAME || 'shop-node-1',
  'process.runtime.name': 'nodejs',
});

const spans = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
spans.register();
const numbers = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(),
      exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL || 60000),
      exportTimeoutMillis: 10000,
    }),
  ],
});
metrics.setGlobalMeterProvider(numbers);
const lines = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
});
logs.setGlobalLoggerProvider(lines);
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

const meter = metrics.getMeter('shop-bank');
meter.createObservableCounter('process.cpu.time', { unit: 's' }).addCallback((result) => {
  const used = process.cpuUsage();
  result.observe(used.user / 1e6, { 'cpu.mode': 'user' });
  result.observe(used.system / 1e6, { 'cpu.mode': 'system' });
});
meter.createObservableUpDownCounter('process.memory.usage', { unit: 'By' }).addCallback((result) => {
  result.observe(process.memoryUsage.rss());
});

exports.stop = () => Promise.all([spans.shutdown(), numbers.shutdown(), lines.shutdown()]);
