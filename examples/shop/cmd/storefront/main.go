// storefront is the shop's public API: it takes checkouts and shows orders, and leaves the work to orders.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.com/shop/internal/service"
	"github.com/google/uuid"
)

const ordersURL = "http://orders:7102"

type storefront struct{ client *http.Client }

type checkout struct {
	Customer string `json:"customer"`
	Method   string `json:"method"`
	Items    []item `json:"items"`
}

type item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type order struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Receipt string `json:"receipt"`
}

func main() {
	service.Main("storefront", func(context.Context) error {
		s := &storefront{client: service.Client(10 * time.Second)}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /checkout", s.checkout)
		mux.HandleFunc("GET /orders/{id}", s.show)
		return service.Run("storefront", 7101, mux)
	})
}

func (s *storefront) checkout(w http.ResponseWriter, r *http.Request) {
	var in checkout
	if !service.ReadJSON(w, r, &in) {
		return
	}
	ctx := r.Context()
	slog.InfoContext(ctx, "checkout started", "items", len(in.Items), "method", in.Method)
	var placed order
	status, err := service.Call(ctx, s.client, http.MethodPost, ordersURL+"/orders", in, &placed)
	switch {
	case err != nil:
		slog.ErrorContext(ctx, "checkout failed: orders did not answer", "error", err.Error())
		service.Fail(w, http.StatusGatewayTimeout, "orders did not answer")
	case status == http.StatusPaymentRequired:
		slog.InfoContext(ctx, "checkout declined by the bank")
		service.Fail(w, status, "payment declined")
	case status/100 != 2:
		slog.ErrorContext(ctx, "checkout failed: order could not be placed", "http.response.status_code", status)
		service.Fail(w, http.StatusBadGateway, "order could not be placed")
	default:
		slog.InfoContext(ctx, "checkout finished", "order.id", placed.ID)
		service.WriteJSON(w, http.StatusCreated, placed)
	}
}

// show passes its request id on in the URL, so that one request can be found in the access logs of both services.
func (s *storefront) show(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	target := ordersURL + "/orders/" + url.PathEscape(r.PathValue("id")) + "?request_id=" + uuid.NewString()
	var found order
	status, err := service.Call(ctx, s.client, http.MethodGet, target, nil, &found)
	switch {
	case err != nil:
		slog.ErrorContext(ctx, "order lookup failed: orders did not answer", "error", err.Error())
		service.Fail(w, http.StatusGatewayTimeout, "orders did not answer")
	case status/100 != 2:
		service.Fail(w, status, "no such order")
	default:
		service.WriteJSON(w, http.StatusOK, found)
	}
}
