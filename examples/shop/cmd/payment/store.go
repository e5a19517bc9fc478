package main

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

const scope = "example.com/shop/cmd/payment"

// openStore makes the Redis client. It does not retry: a retry would wait for the pool again, and hide the first wait.
func openStore(addr string) (*redis.Client, error) {
	client := redis.NewClient(&redis.Options{
		Addr: addr, PoolSize: poolSize, PoolTimeout: poolTimeout, MaxRetries: -1,
	})
	client.AddHook(spanPerCommand{otel.Tracer(scope)})
	return client, observePool(client)
}

// observePool reports the pool of connections under the names of the semantic conventions.
func observePool(client *redis.Client) error {
	meter := otel.Meter(scope)
	count, err := dbconv.NewClientConnectionCountObservable(meter)
	if err != nil {
		return err
	}
	limit, err := dbconv.NewClientConnectionMaxObservable(meter)
	if err != nil {
		return err
	}
	pending, err := dbconv.NewClientConnectionPendingRequestsObservable(meter)
	if err != nil {
		return err
	}
	timeouts, err := dbconv.NewClientConnectionTimeoutsObservable(meter)
	if err != nil {
		return err
	}
	name := count.AttrClientConnectionPoolName("payment-redis")
	all := metric.WithAttributes(name)
	idle := metric.WithAttributes(name, count.AttrClientConnectionState(dbconv.ClientConnectionStateIdle))
	used := metric.WithAttributes(name, count.AttrClientConnectionState(dbconv.ClientConnectionStateUsed))
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := client.PoolStats()
		o.ObserveInt64(count.Inst(), int64(s.IdleConns), idle)
		o.ObserveInt64(count.Inst(), int64(s.TotalConns)-int64(s.IdleConns), used)
		o.ObserveInt64(limit.Inst(), poolSize, all)
		o.ObserveInt64(pending.Inst(), int64(s.PendingRequests), all)
		o.ObserveInt64(timeouts.Inst(), int64(s.Timeouts), all)
		return nil
	}, count.Inst(), limit.Inst(), pending.Inst(), timeouts.Inst())
	return err
}

// spanPerCommand makes a client span of each command or pipeline. The span holds the wait for a connection too.
type spanPerCommand struct{ tracer trace.Tracer }

func (h spanPerCommand) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h spanPerCommand) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.run(ctx, strings.ToUpper(cmd.Name()), func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

func (h spanPerCommand) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.run(ctx, "PIPELINE", func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

func (h spanPerCommand) run(ctx context.Context, name string, command func(context.Context) error) error {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return command(ctx)
	}
	ctx, span := h.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.DBSystemNameRedis, semconv.DBOperationName(name),
		semconv.ServerAddress("redis"), semconv.ServerPort(7106)))
	defer span.End()
	err := command(ctx)
	if err != nil && !errors.Is(err, redis.Nil) {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}
