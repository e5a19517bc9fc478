// Command gotrace-stress writes an execution trace with many events of every usual kind: channels,
// mutexes, select, timers, system calls, goroutines that come and go, allocation with collections,
// map growth, tasks and regions.
//
//	go run ./tests/bench/gotrace-stress -seconds 10 > trace.out
package main

import (
	"context"
	"flag"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

var sink [][]byte

func pingPong(stop <-chan struct{}, wait *sync.WaitGroup) {
	defer wait.Done()
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v + 1
		}
		close(back)
	}()
	for {
		select {
		case <-stop:
			close(there)
			return
		default:
			there <- 1
			<-back
		}
	}
}

func locks(stop <-chan struct{}, wait *sync.WaitGroup, mutex *sync.Mutex, shared map[int]int) {
	defer wait.Done()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
			mutex.Lock()
			shared[i%100000]++
			mutex.Unlock()
		}
	}
}

func allocates(stop <-chan struct{}, wait *sync.WaitGroup) {
	defer wait.Done()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
			sink = append(sink, make([]byte, 4096))
			if len(sink) > 5000 {
				sink = nil
			}
		}
	}
}

func requests(stop <-chan struct{}, wait *sync.WaitGroup) {
	defer wait.Done()
	for {
		select {
		case <-stop:
			return
		default:
			ctx, task := trace.NewTask(context.Background(), "request")
			var parts sync.WaitGroup
			for i := 0; i < 4; i++ {
				parts.Add(1)
				go func() {
					defer parts.Done()
					trace.WithRegion(ctx, "part", func() { time.Sleep(20 * time.Microsecond) })
				}()
			}
			parts.Wait()
			task.End()
		}
	}
}

func files(stop <-chan struct{}, wait *sync.WaitGroup) {
	defer wait.Done()
	buffer := make([]byte, 16)
	file, err := os.Open("/dev/zero")
	if err != nil {
		return
	}
	defer file.Close()
	for {
		select {
		case <-stop:
			return
		default:
			file.Read(buffer)
		}
	}
}

func main() {
	seconds := flag.Float64("seconds", 10, "how long")
	flag.Parse()
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var mutex sync.Mutex
	shared := map[int]int{}
	for i := 0; i < 4; i++ {
		wait.Add(5)
		go pingPong(stop, &wait)
		go locks(stop, &wait, &mutex, shared)
		go allocates(stop, &wait)
		go requests(stop, &wait)
		go files(stop, &wait)
	}
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	close(stop)
	wait.Wait()
	trace.Stop()
}
