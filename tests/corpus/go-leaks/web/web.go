// Package web holds the programs whose fault is in HTTP or in metrics.
package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"corpus.example/lab/pace"
	"dep.example/gauges"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"label_cardinality": runMetrics, "bodies_unclosed": runUnclosed, "bodies_closed": runClosed, "silent_peers": runSilent,
}

// A user id as a label: one time series a user.
func observeRequest(v *gauges.Vec, user int) {
	v.With("GET", "/basket", fmt.Sprint("user-", user)).Add(float64(user % 7))
}

func runMetrics(ctx context.Context, _ float64) {
	v := gauges.NewVec()
	pace.Every(ctx, 7000, func(i int) { observeRequest(v, i) })
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(make([]byte, 6<<10))
}

func serve() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go (&http.Server{Handler: http.HandlerFunc(answer)}).Serve(listener)
	return "http://" + listener.Addr().String() + "/status", nil
}

// The status is all that is asked for; the body stays open, and with it the connection.
func fetchStatus(client *http.Client, url string) int {
	response, err := client.Get(url)
	if err != nil {
		return 0
	}
	return response.StatusCode
}

func fetchWhole(client *http.Client, url string) int {
	response, err := client.Get(url)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func ask(ctx context.Context, perSecond float64, fetch func(*http.Client, string) int) {
	url, err := serve()
	if err != nil {
		panic(err)
	}
	client := &http.Client{Timeout: time.Minute}
	pace.Every(ctx, perSecond, func(int) { fetch(client, url) })
}

func runUnclosed(ctx context.Context, _ float64) { ask(ctx, 30, fetchStatus) }

func runClosed(ctx context.Context, _ float64) { ask(ctx, 60, fetchWhole) }

// A server without a read timeout: peers that connect and say nothing stay.
func attendPeer(conn net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}

func runSilent(ctx context.Context, _ float64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go attendPeer(conn)
		}
	}()
	var peers []net.Conn
	pace.Every(ctx, 40, func(int) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			peers = append(peers, conn)
		}
	})
}
