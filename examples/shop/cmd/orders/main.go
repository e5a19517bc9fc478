// orders keeps orders in PostgreSQL, has them paid, and renders receipts.
//
// Its switch `orders.receipt_cache` turns on the second fault of the shop: see receipts.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"example.com/shop/internal/service"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const paymentURL = "http://payment:7103"

const schema = `
CREATE TABLE IF NOT EXISTS orders (
  id text PRIMARY KEY, customer text NOT NULL, method text NOT NULL, status text NOT NULL,
  total_cents bigint NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS order_items (
  order_id text NOT NULL REFERENCES orders(id), sku text NOT NULL, quantity int NOT NULL, price_cents bigint NOT NULL);
CREATE INDEX IF NOT EXISTS order_items_order ON order_items (order_id);`

type orders struct {
	db       *pgxpool.Pool
	client   *http.Client
	receipts receipts
}

type item struct {
	SKU        string `json:"sku"`
	Quantity   int    `json:"quantity"`
	PriceCents int64  `json:"price_cents"`
}

type order struct {
	ID         string `json:"id"`
	Customer   string `json:"customer"`
	Method     string `json:"method"`
	Status     string `json:"status"`
	TotalCents int64  `json:"total_cents"`
	Items      []item `json:"items"`
	Receipt    string `json:"receipt"`
}

func main() {
	service.Main("orders", func(ctx context.Context) error {
		db, err := openDatabase(ctx, os.Getenv("SHOP_DATABASE_URL"))
		if err != nil {
			return err
		}
		defer db.Close()
		if _, err := db.Exec(ctx, schema); err != nil {
			return err
		}
		o := &orders{db: db, client: service.Client(8 * time.Second)}
		o.receipts.cache.Key = "orders.receipt_cache"
		mux := http.NewServeMux()
		mux.HandleFunc("POST /orders", o.place)
		mux.HandleFunc("GET /orders/{id}", o.show)
		return service.Run("orders", 7102, mux, &o.receipts.cache)
	})
}

func (o *orders) place(w http.ResponseWriter, r *http.Request) {
	in := order{}
	if !service.ReadJSON(w, r, &in) {
		return
	}
	ctx := r.Context()
	in.ID = uuid.NewString()
	in.price()
	if err := o.insert(ctx, &in); err != nil {
		slog.ErrorContext(ctx, "order could not be stored", "error", err.Error())
		service.Fail(w, http.StatusInternalServerError, "order could not be stored")
		return
	}
	slog.InfoContext(ctx, fmt.Sprintf("order %s stored, asking for payment of %d cents", in.ID, in.TotalCents))
	status := o.pay(ctx, &in)
	if err := o.setStatus(ctx, in.ID, in.Status); err != nil {
		slog.ErrorContext(ctx, "order status could not be stored", "error", err.Error())
		service.Fail(w, http.StatusInternalServerError, "order could not be stored")
		return
	}
	if status != http.StatusCreated {
		service.Fail(w, status, "order "+in.Status)
		return
	}
	in.Receipt = o.receipts.of(r.URL.Path+"/"+in.ID, &in)
	slog.InfoContext(ctx, fmt.Sprintf("order %s %s", in.ID, in.Status))
	service.WriteJSON(w, http.StatusCreated, in)
}

// pay asks the payment gateway, sets the order's status by the answer and returns the HTTP status for the caller.
func (o *orders) pay(ctx context.Context, in *order) int {
	ask := map[string]any{"order": in.ID, "cents": in.TotalCents, "method": in.Method}
	var paid struct {
		Status string `json:"status"`
	}
	status, err := service.Call(ctx, o.client, http.MethodPost, paymentURL+"/payments", ask, &paid)
	switch {
	case err != nil:
		in.Status = "payment unknown"
		slog.ErrorContext(ctx, fmt.Sprintf("payment of order %s failed: no answer in time", in.ID), "error", err.Error())
		return http.StatusGatewayTimeout
	case status == http.StatusPaymentRequired:
		in.Status = "declined"
		return status
	case status/100 != 2:
		in.Status = "payment failed"
		slog.ErrorContext(ctx, fmt.Sprintf("payment of order %s failed with status %d", in.ID, status))
		return http.StatusBadGateway
	}
	in.Status = paid.Status
	return http.StatusCreated
}

func (o *orders) show(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	found, err := o.find(ctx, r.PathValue("id"))
	if errors.Is(err, pgx.ErrNoRows) {
		service.Fail(w, http.StatusNotFound, "no such order")
		return
	}
	if err != nil {
		slog.ErrorContext(ctx, "order could not be read", "error", err.Error())
		service.Fail(w, http.StatusInternalServerError, "order could not be read")
		return
	}
	found.Receipt = o.receipts.of(r.URL.String(), found)
	slog.InfoContext(ctx, fmt.Sprintf("order %s shown", found.ID))
	service.WriteJSON(w, http.StatusOK, found)
}

func (in *order) price() {
	in.TotalCents = 0
	for i := range in.Items {
		var hash int64
		for _, c := range in.Items[i].SKU {
			hash = (hash*31 + int64(c)) % 9000
		}
		in.Items[i].PriceCents = 500 + hash
		in.TotalCents += in.Items[i].PriceCents * int64(in.Items[i].Quantity)
	}
}
