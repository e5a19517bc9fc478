// payment is the payment gateway: it keeps the state of payments in Redis and has the bank authorise them.
//
// Its switch `payment.wait_for_capture` turns on the first fault of the shop: see waitForCapture.
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
	"github.com/redis/go-redis/v9"
)

const (
	bankURL        = "http://bank:7104"
	poolSize       = 5
	poolTimeout    = 1500 * time.Millisecond
	captureTimeout = 2 * time.Second
	keep           = 10 * time.Minute
)

var errDeclined = errors.New("declined by the bank")

type gateway struct {
	store  *redis.Client
	client *http.Client
	wait   service.Switch
}

type payment struct {
	Order  string `json:"order"`
	Cents  int64  `json:"cents"`
	Method string `json:"method"`
}

type authorisation struct {
	ID       string `json:"id"`
	Approved bool   `json:"approved"`
}

func main() {
	service.Main("payment", func(context.Context) error {
		store, err := openStore(os.Getenv("SHOP_REDIS_ADDR"))
		if err != nil {
			return err
		}
		defer store.Close()
		g := &gateway{store: store, client: service.Client(5 * time.Second)}
		g.wait.Key = "payment.wait_for_capture"
		mux := http.NewServeMux()
		mux.HandleFunc("POST /payments", g.pay)
		mux.HandleFunc("POST /captures", g.capture)
		return service.Run("payment", 7103, mux, &g.wait)
	})
}

func (g *gateway) pay(w http.ResponseWriter, r *http.Request) {
	var in payment
	if !service.ReadJSON(w, r, &in) {
		return
	}
	ctx := r.Context()
	slog.InfoContext(ctx, fmt.Sprintf("payment of order %s received", in.Order))
	status, err := g.settle(ctx, &in)
	switch {
	case errors.Is(err, errDeclined):
		slog.InfoContext(ctx, fmt.Sprintf("payment of order %s declined by the bank", in.Order))
		service.Fail(w, http.StatusPaymentRequired, err.Error())
	case errors.Is(err, redis.ErrPoolTimeout):
		slog.ErrorContext(ctx, "could not get a connection from the pool: "+err.Error(), "order.id", in.Order)
		service.Fail(w, http.StatusServiceUnavailable, "payment store is busy")
	case err != nil:
		slog.ErrorContext(ctx, fmt.Sprintf("payment of order %s failed", in.Order), "error", err.Error())
		service.Fail(w, http.StatusInternalServerError, "payment failed")
	default:
		slog.InfoContext(ctx, fmt.Sprintf("payment of order %s completed", in.Order))
		service.WriteJSON(w, http.StatusCreated, map[string]string{"status": status})
	}
}

// settle takes a payment from its receipt to its final state and returns the state.
func (g *gateway) settle(ctx context.Context, in *payment) (string, error) {
	key := "payment:" + in.Order
	first, err := g.store.SetNX(ctx, key+":once", "1", keep).Result()
	if err != nil {
		return "", err
	}
	if !first {
		return "", errors.New("order is being paid already")
	}
	if err := g.store.IncrBy(ctx, "turnover:"+in.Method, in.Cents).Err(); err != nil {
		return "", err
	}
	var answer authorisation
	ask := map[string]any{"order": in.Order, "cents": in.Cents}
	code, err := service.Call(ctx, g.client, http.MethodPost, bankURL+"/authorisations", ask, &answer)
	if err != nil {
		return "", err
	}
	if code/100 != 2 {
		return "", fmt.Errorf("bank answered %d", code)
	}
	if !answer.Approved {
		return "", errDeclined
	}
	slog.InfoContext(ctx, fmt.Sprintf("payment of order %s authorised by the bank", in.Order))
	status, err := g.waitForCapture(ctx, answer.ID)
	if err != nil {
		return "", err
	}
	return status, g.store.Set(ctx, key, status, keep).Err()
}

// waitForCapture says whether the bank has captured the money.
//
// The fault: with the switch on, the request waits for the bank's capture notice with a blocking BLPOP, which holds one
// of the pool's connections until the notice comes, a second or more later. A few waiters hold them all, and every other
// command of every other payment queues for one. (The notice gets through: go-redis keeps a pool of its own for pipelines.)
func (g *gateway) waitForCapture(ctx context.Context, authorisation string) (string, error) {
	if !g.wait.On() {
		return "authorised", nil
	}
	err := g.store.BLPop(ctx, captureTimeout, "capture:"+authorisation).Err()
	if errors.Is(err, redis.Nil) {
		slog.WarnContext(ctx, "no capture notice in time, payment stays authorised")
		return "authorised", nil
	}
	if err != nil {
		return "", err
	}
	return "captured", nil
}

// capture takes the bank's notice that the money of an authorisation has moved.
func (g *gateway) capture(w http.ResponseWriter, r *http.Request) {
	var in authorisation
	if !service.ReadJSON(w, r, &in) {
		return
	}
	ctx := r.Context()
	_, err := g.store.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.RPush(ctx, "capture:"+in.ID, "captured")
		p.Expire(ctx, "capture:"+in.ID, keep)
		return nil
	})
	switch {
	case errors.Is(err, redis.ErrPoolTimeout):
		slog.ErrorContext(ctx, "could not get a connection from the pool: "+err.Error(), "authorisation.id", in.ID)
		service.Fail(w, http.StatusServiceUnavailable, "payment store is busy")
	case err != nil:
		slog.ErrorContext(ctx, "capture notice could not be stored", "error", err.Error())
		service.Fail(w, http.StatusInternalServerError, "capture failed")
	default:
		slog.InfoContext(ctx, fmt.Sprintf("authorisation %s captured", in.ID))
		service.WriteJSON(w, http.StatusOK, map[string]string{"status": "captured"})
	}
}
