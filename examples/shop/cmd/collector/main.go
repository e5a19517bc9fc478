// collector receives OTLP over HTTP and keeps it as the OpenTelemetry Collector's file exporter does: one
// Export…ServiceRequest a line, as JSON, in logs.otlp.jsonl, traces.otlp.jsonl and metrics.otlp.jsonl. It also asks Redis and
// PostgreSQL for their own counters, under the names of the Collector's receivers for them.
//
// Nothing is kept before POST /recording?dir=D, nor after DELETE /recording.
package main

import (
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// request is what the three kinds of export request have in common.
type request interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
	MarshalJSON() ([]byte, error)
}

type collector struct {
	mu    sync.Mutex
	files map[string]*os.File
}

func main() {
	port := flag.Int("port", 7118, "port on loopback")
	redisAddr := flag.String("redis", "127.0.0.1:7106", "address of Redis")
	databaseURL := flag.String("postgresql", "", "URL of the database")
	every := flag.Duration("every", 15*time.Second, "how often Redis and PostgreSQL are asked")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	c := &collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", c.receive("logs", func() request { r := plogotlp.NewExportRequest(); return &r }))
	mux.HandleFunc("POST /v1/traces", c.receive("traces", func() request { r := ptraceotlp.NewExportRequest(); return &r }))
	mux.HandleFunc("POST /v1/metrics", c.receive("metrics", func() request { r := pmetricotlp.NewExportRequest(); return &r }))
	mux.HandleFunc("POST /recording", func(w http.ResponseWriter, r *http.Request) { answer(w, c.start(r.URL.Query().Get("dir"))) })
	mux.HandleFunc("DELETE /recording", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.stop()) })
	go c.scrape(ctx, *redisAddr, *databaseURL, *every)
	server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", *port), Handler: mux}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "collector:", err)
		os.Exit(1)
	}
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (c *collector) start(dir string) error {
	if err := c.stop(); err != nil {
		return err
	}
	files := map[string]*os.File{}
	for _, kind := range []string{"logs", "traces", "metrics"} {
		file, err := os.Create(filepath.Join(dir, kind+".otlp.jsonl"))
		if err != nil {
			return err
		}
		files[kind] = file
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = files
	return nil
}

func (c *collector) stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, file := range c.files {
		errs = append(errs, file.Close())
	}
	c.files = nil
	return errors.Join(errs...)
}

// receive answers one signal's exports in the form in which they came: protobuf (Go) or JSON (Node), gzipped or not.
func (c *collector) receive(kind string, fresh func() request) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
		in := fresh()
		if json {
			err = in.UnmarshalJSON(body)
		} else {
			err = in.UnmarshalProto(body)
		}
		if err == nil {
			err = c.keep(kind, in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if json {
			io.WriteString(w, "{}")
		}
	}
}

func readBody(r *http.Request) ([]byte, error) {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		in = unzipped
	}
	return io.ReadAll(io.LimitReader(in, 64<<20))
}

func (c *collector) keep(kind string, in request) error {
	line, err := in.MarshalJSON()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		return nil
	}
	_, err = c.files[kind].Write(append(line, '\n'))
	return err
}
