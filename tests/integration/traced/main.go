// Command traced is a program to be traced while it runs: goroutines that nobody ends, profiles under
// /debug/pprof/, and the last second out of a flight recorder under /flight.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime/trace"
	"time"
)

func await(answer chan int) { <-answer }

func ask() { go await(make(chan int)) }

func main() {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: time.Second})
	if err := recorder.Start(); err != nil {
		panic(err)
	}
	http.HandleFunc("/flight", func(w http.ResponseWriter, _ *http.Request) { recorder.WriteTo(w) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go http.Serve(listener, nil)
	for {
		ask()
		time.Sleep(5 * time.Millisecond)
	}
}
