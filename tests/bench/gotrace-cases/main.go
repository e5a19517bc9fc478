// Command gotrace-cases writes an execution trace, with samples of the processor, of a program with
// one known fault, or of a healthy one that looks like it.
//
//	go run ./tests/bench/gotrace-cases -case convoy -seconds 2 > trace.out
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

type node struct {
	name *string
	next *node
}

var (
	nodes   map[int]*node
	flat    map[int]int
	garbage [][]byte
	lock    sync.Mutex
	total   int
)

// work keeps a processor busy for about so long.
func work(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		total++
	}
}

func buildPointers() {
	nodes = make(map[int]*node)
	for i := 0; i < 1500000; i++ {
		name := fmt.Sprint("node", i)
		nodes[i] = &node{name: &name}
	}
	runtime.GC()
}

func buildFlat() {
	flat = make(map[int]int)
	for i := 0; i < 6000000; i++ {
		flat[i] = i
	}
	runtime.GC()
}

// collect makes garbage at a moderate pace; what is alive decides what a collection costs.
func collect(until time.Time) {
	debug.SetGCPercent(20)
	for time.Now().Before(until) {
		garbage = append(garbage, make([]byte, 64<<10))
		if len(garbage) > 100 {
			garbage = nil
			time.Sleep(time.Millisecond)
		}
	}
}

// allocateNodes makes structures full of pointers as fast as it can: it is made to mark.
func allocateNodes(until time.Time) {
	for time.Now().Before(until) {
		var head *node
		for i := 0; i < 1000; i++ {
			head = &node{next: head}
		}
		garbage = append(garbage[:len(garbage)%64], make([]byte, 1024))
	}
}

func storm(until time.Time) {
	var wait sync.WaitGroup
	for i := 0; i < 16; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			allocateNodes(until)
		}()
	}
	wait.Wait()
}

// steady has the same structures alive, and as many goroutines, which allocate at a pace that the
// collector keeps up with.
func steady(until time.Time) {
	var wait sync.WaitGroup
	for i := 0; i < 16; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for time.Now().Before(until) {
				work(50 * time.Microsecond)
				_ = fmt.Sprint(time.Now())
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
	wait.Wait()
}

func handle() {
	lock.Lock()
	work(200 * time.Microsecond)
	lock.Unlock()
	work(20 * time.Microsecond)
}

func convoy(until time.Time) {
	var wait sync.WaitGroup
	for i := 0; i < 12; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for time.Now().Before(until) {
				handle()
			}
		}()
	}
	wait.Wait()
}

// polite takes the same lock for next to nothing.
func polite(until time.Time) {
	var wait sync.WaitGroup
	for i := 0; i < 12; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for time.Now().Before(until) {
				lock.Lock()
				total++
				lock.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	wait.Wait()
}

type counts struct{ m map[uint64][8]uint64 }

func (c *counts) put(i uint64) { c.m[i*0x9e3779b97f4a7c15] = [8]uint64{i} }

// grow puts batches into one map that grows; the batch in which it doubles takes long.
func grow(until time.Time) {
	c := counts{m: map[uint64][8]uint64{}}
	for i := uint64(0); time.Now().Before(until); {
		trace.WithRegion(context.Background(), "put", func() {
			for end := i + 2000; i < end; i++ {
				c.put(i)
			}
		})
	}
}

// presized puts the same into a map that was made large enough.
func presized(until time.Time) {
	c := counts{m: make(map[uint64][8]uint64, 1<<20)}
	for i := uint64(0); time.Now().Before(until); {
		trace.WithRegion(context.Background(), "put", func() {
			for end := i + 2000; i < end; i++ {
				c.put(i % (1 << 20))
			}
		})
	}
}

// copyAll copies in pieces of a size; a single copy cannot be interrupted, and a stop waits for it.
func copyAll(until time.Time, from, to []byte, piece int) {
	for time.Now().Before(until) {
		for at := 0; at < len(from) && time.Now().Before(until); at += piece {
			copy(to[at:at+piece], from[at:at+piece])
		}
	}
}

func copies(until time.Time, piece int, stop func(time.Time)) {
	from, to := make([]byte, 512<<20), make([]byte, 512<<20)
	for i := 0; i < len(from); i += 4096 {
		from[i], to[i] = 1, 1
	}
	go copyAll(until, from, to, piece)
	stop(until)
}

// collectOften stops the world for collections, which is all that traces up to Go 1.20 tell of.
func collectOften(until time.Time) {
	for time.Now().Before(until) {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

func readStats(until time.Time) {
	var stats runtime.MemStats
	for time.Now().Before(until) {
		runtime.ReadMemStats(&stats)
		time.Sleep(10 * time.Millisecond)
	}
}

func await(answer chan int) { <-answer }

func ask() { go await(make(chan int)) }

func leak(until time.Time) {
	for time.Now().Before(until) {
		ask()
		time.Sleep(10 * time.Millisecond)
	}
}

// burst starts as many that end by themselves.
func burst(until time.Time) {
	for time.Now().Before(until) {
		answer := make(chan int)
		go await(answer)
		time.AfterFunc(20*time.Millisecond, func() { close(answer) })
		time.Sleep(10 * time.Millisecond)
	}
}

func main() {
	cases := map[string]struct {
		before func()
		run    func(time.Time)
	}{
		"pointers": {buildPointers, collect},
		"flat":     {buildFlat, collect},
		"steady":   {buildFlat, steady},
		"presized": {nil, presized},
		"copies":   {nil, func(until time.Time) { copies(until, 512<<20, readStats) }},
		"pieces":   {nil, func(until time.Time) { copies(until, 64<<10, readStats) }},
		"halts":    {nil, func(until time.Time) { copies(until, 512<<20, collectOften) }},
		"brief":    {nil, func(until time.Time) { copies(until, 64<<10, collectOften) }},
		"storm":    {buildPointers, storm},
		"convoy":   {nil, convoy},
		"polite":   {nil, polite},
		"grow":     {nil, grow},
		"stats":    {nil, readStats},
		"leak":     {nil, leak},
		"burst":    {nil, burst},
	}
	name := flag.String("case", "", "which one")
	seconds := flag.Float64("seconds", 2, "how long")
	flag.Parse()
	chosen, ok := cases[*name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such case")
		os.Exit(2)
	}
	if chosen.before != nil {
		chosen.before()
	}
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	pprof.StartCPUProfile(io.Discard)
	chosen.run(time.Now().Add(time.Duration(*seconds * float64(time.Second))))
	pprof.StopCPUProfile()
	trace.Stop()
}
