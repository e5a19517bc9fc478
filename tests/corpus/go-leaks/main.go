// Program lab runs one of the programs with a known memory fault, or none, and serves its profiles.
//
//	lab list
//	lab run NAME SECONDS FOLDER
//
// It writes FOLDER/address once it listens and FOLDER/memstats.jsonl while it runs; the script `record` asks for the rest.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"time"

	"corpus.example/lab/async"
	"corpus.example/lab/fresh"
	"corpus.example/lab/later"
	"corpus.example/lab/load"
	"corpus.example/lab/media"
	"corpus.example/lab/pace"
	"corpus.example/lab/steady"
	"corpus.example/lab/store"
	"corpus.example/lab/web"
)

type program func(ctx context.Context, seconds float64)

func programs() map[string]program {
	all := make(map[string]program)
	for _, set := range []map[string]func(context.Context, float64){
		async.Programs, fresh.Programs, later.Programs, load.Programs, media.Programs, steady.Programs, store.Programs, web.Programs,
	} {
		for name, fn := range set {
			all[name] = fn
		}
	}
	return all
}

// background is what every service does besides: a little JSON, so that no profile has one line only.
func background(ctx context.Context) {
	pace.Every(ctx, 40, func(i int) {
		reply := map[string]interface{}{"id": i, "at": time.Now().String(), "tags": []string{"a", "b", "c"}}
		text, err := json.Marshal(reply)
		if err != nil {
			panic(err)
		}
		var back map[string]interface{}
		if err := json.Unmarshal(text, &back); err != nil {
			panic(err)
		}
	})
}

type stats struct {
	T          float64 `json:"t"`
	Goroutines int     `json:"goroutines"`
	HeapAlloc  uint64  `json:"heap_alloc"`
	HeapInuse  uint64  `json:"heap_inuse"`
	HeapObj    uint64  `json:"heap_objects"`
	HeapRel    uint64  `json:"heap_released"`
	HeapSys    uint64  `json:"heap_sys"`
	Sys        uint64  `json:"sys"`
	TotalAlloc uint64  `json:"total_alloc"`
	Mallocs    uint64  `json:"mallocs"`
	Frees      uint64  `json:"frees"`
	NumGC      uint32  `json:"num_gc"`
	PauseTotal uint64  `json:"pause_total_ns"`
	GCCPU      float64 `json:"gc_cpu"`
	Requests   int64   `json:"requests"`
}

func watch(ctx context.Context, path string) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	out := json.NewEncoder(file)
	start := time.Now()
	for ctx.Err() == nil {
		time.Sleep(200 * time.Millisecond)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if err := out.Encode(stats{time.Since(start).Seconds(), runtime.NumGoroutine(), m.HeapAlloc, m.HeapInuse, m.HeapObjects,
			m.HeapReleased, m.HeapSys, m.Sys, m.TotalAlloc, m.Mallocs, m.Frees, m.NumGC, m.PauseTotalNs, m.GCCPUFraction,
			pace.Calls()}); err != nil {
			panic(err)
		}
	}
}

func run(fn program, seconds float64, folder string) error {
	runtime.SetBlockProfileRate(int(time.Millisecond))
	runtime.SetMutexProfileFraction(10)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, nil)
	if err := os.WriteFile(filepath.Join(folder, "address"), []byte(listener.Addr().String()), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	go background(ctx)
	go watch(ctx, filepath.Join(folder, "memstats.jsonl"))
	fn(ctx, seconds)
	<-ctx.Done()
	return nil
}

func main() {
	all := programs()
	if len(os.Args) == 2 && os.Args[1] == "list" {
		names := make([]string, 0, len(all))
		for name := range all {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) != 5 || os.Args[1] != "run" || all[os.Args[2]] == nil {
		fmt.Fprintln(os.Stderr, "usage: lab list | lab run NAME SECONDS FOLDER")
		os.Exit(64)
	}
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	if err == nil {
		err = run(all[os.Args[2]], seconds, os.Args[4])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}
