// Package service is what the shop's Go services share: the HTTP server, the client between services, the admin port
// with its switches and profiles, and JSON in and out.
package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/shop/internal/telemetry"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// Switch is one configuration value that the admin port can turn on while the service runs.
type Switch struct {
	Key string
	on  atomic.Bool
}

// On says whether the switch is on.
func (s *Switch) On() bool { return s.on.Load() }

// set turns the switch and logs the change, as any change of configuration is logged.
func (s *Switch) set(on bool) {
	before := s.on.Swap(on)
	slog.Info("configuration changed", "config.key", s.Key, "config.value.before", before, "config.value.after", on)
}

// Run serves mux on 127.0.0.1:port and the admin port on port+100 until the process is told to end.
func Run(name string, port int, mux *http.ServeMux, switches ...*Switch) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	admin := &http.Server{Addr: loopback(port + 100), Handler: adminMux(switches)}
	main := &http.Server{Addr: loopback(port), Handler: otelhttp.NewHandler(mux, name)}
	failed := make(chan error, 2)
	go func() { failed <- admin.ListenAndServe() }()
	go func() { failed <- main.ListenAndServe() }()
	slog.Info("service started", "server.port", port)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	admin.Close()
	return main.Shutdown(grace)
}

// Main starts the telemetry, runs the service and flushes. It ends the process with 1 where anything fails.
func Main(name string, run func(ctx context.Context) error) {
	ctx := context.Background()
	stop, err := telemetry.Start(ctx, name)
	if err == nil {
		err = run(ctx)
		grace, done := context.WithTimeout(ctx, 5*time.Second)
		defer done()
		stop(grace)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// adminMux: POST /switch?key=K&on=true, the Go profiles, and the memory counters as JSON.
func adminMux(switches []*Switch) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /switch", func(w http.ResponseWriter, r *http.Request) {
		for _, s := range switches {
			if s.Key == r.URL.Query().Get("key") {
				s.set(r.URL.Query().Get("on") == "true")
				return
			}
		}
		http.Error(w, "no such switch", http.StatusNotFound)
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/memstats", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		WriteJSON(w, http.StatusOK, map[string]any{
			"heap_alloc": m.HeapAlloc, "heap_inuse": m.HeapInuse, "heap_idle": m.HeapIdle,
			"heap_released": m.HeapReleased, "heap_objects": m.HeapObjects, "heap_sys": m.HeapSys,
			"total_alloc": m.TotalAlloc, "mallocs": m.Mallocs, "frees": m.Frees, "sys": m.Sys, "next_gc": m.NextGC,
			"num_gc": m.NumGC, "pause_total_ns": m.PauseTotalNs, "goroutines": runtime.NumGoroutine(),
		})
	})
	return mux
}

// Client calls the other services. All of them listen on this machine, so every host name leads to loopback.
func Client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: time.Second}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     30 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	}
	return &http.Client{Timeout: timeout, Transport: otelhttp.NewTransport(transport)}
}

// Call sends body (none where nil) as JSON and decodes a 2xx answer into answer; any other status is returned alone.
func Call(ctx context.Context, client *http.Client, method, url string, body, answer any) (int, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, payload)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		io.Copy(io.Discard, response.Body)
		return response.StatusCode, nil
	}
	return response.StatusCode, json.NewDecoder(response.Body).Decode(answer)
}

// ReadJSON decodes the request's body, answering 400 where it cannot.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		http.Error(w, "malformed request", http.StatusBadRequest)
		return false
	}
	return true
}

// WriteJSON answers with status and value.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

// Fail answers with status and one sentence.
func Fail(w http.ResponseWriter, status int, sentence string) {
	WriteJSON(w, status, map[string]string{"error": sentence})
}
