package main

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

const scope = "example.com/shop/cmd/orders"

func openDatabase(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 20
	config.ConnConfig.Tracer = spanPerQuery{otel.Tracer(scope)}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return pool, observePool(pool)
}

func observePool(pool *pgxpool.Pool) error {
	meter := otel.Meter(scope)
	count, err := dbconv.NewClientConnectionCountObservable(meter)
	if err != nil {
		return err
	}
	limit, err := dbconv.NewClientConnectionMaxObservable(meter)
	if err != nil {
		return err
	}
	name := count.AttrClientConnectionPoolName("orders-postgresql")
	idle := metric.WithAttributes(name, count.AttrClientConnectionState(dbconv.ClientConnectionStateIdle))
	used := metric.WithAttributes(name, count.AttrClientConnectionState(dbconv.ClientConnectionStateUsed))
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := pool.Stat()
		o.ObserveInt64(count.Inst(), int64(s.IdleConns()), idle)
		o.ObserveInt64(count.Inst(), int64(s.AcquiredConns()), used)
		o.ObserveInt64(limit.Inst(), int64(s.MaxConns()), metric.WithAttributes(name))
		return nil
	}, count.Inst(), limit.Inst())
	return err
}

// spanPerQuery makes a client span of each statement, as the semantic conventions for databases describe it.
type spanPerQuery struct{ tracer trace.Tracer }

func (t spanPerQuery) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	verb, _, _ := strings.Cut(q.SQL, " ")
	verb = strings.ToUpper(verb)
	ctx, _ = t.tracer.Start(ctx, verb+" shop", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.DBSystemNamePostgreSQL, semconv.DBNamespace("shop"), semconv.DBOperationName(verb),
		semconv.DBQueryText(q.SQL), semconv.ServerAddress("postgresql"), semconv.ServerPort(7107)))
	return ctx
}

func (t spanPerQuery) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	span := trace.SpanFromContext(ctx)
	if !span.SpanContext().IsValid() {
		return
	}
	if q.Err != nil {
		span.RecordError(q.Err)
		span.SetStatus(codes.Error, q.Err.Error())
	}
	span.End()
}

// insert stores the order and its items in one transaction.
func (o *orders) insert(ctx context.Context, in *order) error {
	return pgx.BeginFunc(ctx, o.db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO orders (id, customer, method, status, total_cents) VALUES ($1, $2, $3, 'placed', $4)",
			in.ID, in.Customer, in.Method, in.TotalCents)
		if err != nil {
			return err
		}
		for _, it := range in.Items {
			_, err := tx.Exec(ctx, "INSERT INTO order_items (order_id, sku, quantity, price_cents) VALUES ($1, $2, $3, $4)",
				in.ID, it.SKU, it.Quantity, it.PriceCents)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *orders) setStatus(ctx context.Context, id, status string) error {
	_, err := o.db.Exec(ctx, "UPDATE orders SET status = $2 WHERE id = $1", id, status)
	return err
}

func (o *orders) find(ctx context.Context, id string) (*order, error) {
	found := &order{ID: id}
	row := o.db.QueryRow(ctx, "SELECT customer, method, status, total_cents FROM orders WHERE id = $1", id)
	if err := row.Scan(&found.Customer, &found.Method, &found.Status, &found.TotalCents); err != nil {
		return nil, err
	}
	rows, err := o.db.Query(ctx, "SELECT sku, quantity, price_cents FROM order_items WHERE order_id = $1", id)
	if err != nil {
		return nil, err
	}
	found.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[item])
	return found, err
}
