// load sends the shop an open stream of requests: Poisson arrivals at a fixed rate, which do not wait for each other, three
// checkouts to one look at an earlier order. Every 15 seconds it prints what a customer would have seen.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

const shop = "http://127.0.0.1:7101"

var skus = []string{"tea-green", "tea-black", "kettle", "cup", "teapot", "sieve", "honey", "biscuits"}

type result struct {
	checkout bool
	failed   bool
	took     time.Duration
}

type load struct {
	client  *http.Client
	mu      sync.Mutex
	placed  []string
	results []result
}

func main() {
	rate := flag.Float64("rate", 16, "requests a second")
	seed := flag.Int64("seed", 1, "seed of the arrivals and carts")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	l := &load{client: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	random := rand.New(rand.NewSource(*seed))
	report := time.NewTicker(15 * time.Second)
	next := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-report.C:
			l.print()
		case <-next.C:
			next.Reset(time.Duration(random.ExpFloat64() / *rate * float64(time.Second)))
			if random.Intn(4) == 0 {
				go l.look(random.Intn(1 << 30))
			} else {
				go l.buy(cart(random))
			}
		}
	}
}

func cart(random *rand.Rand) []byte {
	items := []map[string]any{}
	for range 1 + random.Intn(3) {
		items = append(items, map[string]any{"sku": skus[random.Intn(len(skus))], "quantity": 1 + random.Intn(3)})
	}
	method := []string{"card", "card", "transfer"}[random.Intn(3)]
	text, _ := json.Marshal(map[string]any{
		"customer": fmt.Sprintf("customer-%04d", random.Intn(2000)), "method": method, "items": items})
	return text
}

func (l *load) buy(body []byte) {
	start := time.Now()
	response, err := l.client.Post(shop+"/checkout", "application/json", bytes.NewReader(body))
	var placed struct {
		ID string `json:"id"`
	}
	failed := err != nil
	if err == nil {
		json.NewDecoder(response.Body).Decode(&placed)
		response.Body.Close()
		failed = response.StatusCode >= 500
	}
	l.note(result{true, failed, time.Since(start)}, placed.ID)
}

// look asks for one of the last thousand orders.
func (l *load) look(pick int) {
	l.mu.Lock()
	if len(l.placed) == 0 {
		l.mu.Unlock()
		return
	}
	recent := l.placed[max(0, len(l.placed)-1000):]
	id := recent[pick%len(recent)]
	l.mu.Unlock()
	start := time.Now()
	response, err := l.client.Get(shop + "/orders/" + id)
	failed := err != nil
	if err == nil {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		failed = response.StatusCode >= 500
	}
	l.note(result{false, failed, time.Since(start)}, "")
}

func (l *load) note(r result, placed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, r)
	if placed != "" {
		l.placed = append(l.placed, placed)
	}
}

// print writes one JSON line for the requests that ended since the last one.
func (l *load) print() {
	l.mu.Lock()
	results := l.results
	l.results = nil
	l.mu.Unlock()
	line := map[string]any{"at": time.Now().UTC().Format(time.RFC3339)}
	for _, kind := range []string{"checkout", "lookup"} {
		var took []time.Duration
		failed := 0
		for _, r := range results {
			if r.checkout == (kind == "checkout") {
				took = append(took, r.took)
				if r.failed {
					failed++
				}
			}
		}
		slices.Sort(took)
		line[kind] = map[string]any{"n": len(took), "failed": failed, "p50_ms": quantile(took, 0.5), "p99_ms": quantile(took, 0.99)}
	}
	json.NewEncoder(os.Stdout).Encode(line)
}

func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(q*float64(len(sorted)-1)+0.5)].Microseconds()) / 1000
}
