// Package telemetry sets up the OpenTelemetry SDK for one service: traces, metrics and logs, all over OTLP/HTTP.
//
// The standard OTEL_* variables steer it (endpoint, sampler, export interval). The resource is written by hand and no
// detector runs, so that nothing of the machine that runs the shop gets into its telemetry.
package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log/global"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Version is the version that every service of the shop reports.
const Version = "1.4.2"

// Start installs the global providers and returns what flushes and closes them.
func Start(ctx context.Context, service string) (stop func(context.Context) error, err error) {
	res := resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceNamespace("shop"),
		semconv.ServiceName(service),
		semconv.ServiceVersion(Version),
		semconv.ServiceInstanceID(service+"-1"),
		semconv.HostName(hostName()),
		semconv.ProcessRuntimeName("go"),
	)
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	numbers, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, err
	}
	lines, err := otlploghttp.New(ctx)
	if err != nil {
		return nil, err
	}
	tracer := trace.NewTracerProvider(trace.WithResource(res), trace.WithBatcher(spans))
	meter := metric.NewMeterProvider(metric.WithResource(res), metric.WithReader(metric.NewPeriodicReader(numbers)))
	logger := log.NewLoggerProvider(log.WithResource(res), log.WithProcessor(log.NewBatchProcessor(lines)))
	otel.SetTracerProvider(tracer)
	otel.SetMeterProvider(meter)
	global.SetLoggerProvider(logger)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	slog.SetDefault(slog.New(sampled{otelslog.NewHandler(service, otelslog.WithSource(true))}))

	if err := runtime.Start(); err != nil {
		return nil, err
	}
	if err := observeProcess(); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return errors.Join(tracer.Shutdown(ctx), meter.Shutdown(ctx), logger.Shutdown(ctx))
	}, nil
}

func hostName() string {
	if name := os.Getenv("SHOP_HOST_NAME"); name != "" {
		return name
	}
	return "shop-node-1"
}

// sampled keeps every warning and error, and of the other lines those that belong to a sampled trace or to none.
type sampled struct{ slog.Handler }

func (s sampled) Handle(ctx context.Context, r slog.Record) error {
	span := oteltrace.SpanContextFromContext(ctx)
	if r.Level < slog.LevelWarn && span.IsValid() && !span.IsSampled() {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

func (s sampled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sampled{s.Handler.WithAttrs(attrs)}
}
func (s sampled) WithGroup(name string) slog.Handler { return sampled{s.Handler.WithGroup(name)} }
