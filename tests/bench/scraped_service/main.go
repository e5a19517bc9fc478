// A Go service with net/http/pprof under a steady load, and the load: what scrape_overhead.py measures.
//
//	scraped_service -live 128            serves /work and /debug on a port that it prints
//	scraped_service -load URL -rate 200 -for 60s   asks for URL, prints latencies as JSON
package main

import (
	"encoding/json"
	_ "expvar"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type entry struct {
	next *entry
	name string
	rest [96]byte
}

var live map[int]*entry

// About `megabytes` of small objects with pointers: what the collector, and a profile that runs it, has to mark.
func fill(megabytes int) {
	live = make(map[int]*entry)
	var last *entry
	for i := 0; i < megabytes<<20/160; i++ {
		last = &entry{next: last, name: fmt.Sprintf("entry-%d", i)}
		live[i%4096] = last
	}
}

// Some garbage, some text, some looking up, as a handler has.
func work(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	for i := 0; i < 200; i++ {
		fmt.Fprintf(&b, "%d:%s,", i, live[i*17%4096].name)
	}
	_ = json.NewEncoder(w).Encode(map[string]int{"length": b.Len()})
}

func serve(megabytes int) {
	fill(megabytes)
	http.HandleFunc("/work", work)
	idle := make(chan struct{})
	for i := 0; i < 500; i++ {
		go func() { <-idle }()
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(at.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(at, nil))
}

// Requests at fixed moments, whether the ones before have ended or not: a pause of the server is seen by all that wait.
func load(url string, rate int, total time.Duration) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var lock sync.Mutex
	var wait sync.WaitGroup
	var took []float64
	failed, begin := 0, time.Now()
	for i := 0; time.Since(begin) < total; i++ {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wait.Add(1)
		go func() {
			defer wait.Done()
			answer, err := client.Get(url)
			if err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
			lock.Lock()
			defer lock.Unlock()
			if err != nil || answer.StatusCode != 200 {
				failed++
			}
			took = append(took, time.Since(due).Seconds()*1e3)
		}()
	}
	wait.Wait()
	sort.Float64s(took)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"requests": len(took), "failed": failed,
		"p50_ms": took[len(took)/2], "p99_ms": took[len(took)*99/100]})
}

func main() {
	url := flag.String("load", "", "")
	rate := flag.Int("rate", 200, "")
	total := flag.Duration("for", time.Minute, "")
	megabytes := flag.Int("live", 128, "")
	flag.Parse()
	if *url != "" {
		load(*url, *rate, *total)
	} else {
		serve(*megabytes)
	}
}
