// Package fresh holds a third set: faults of kinds that the first two sets show once or not at all, and healthy programs
// that look like them.
package fresh

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"session_copies": runSessions, "nan_scores": runScores, "struct_keys": runRoutes, "expiry_by_index": runTickets,
	"labels_of_users": runMeters, "header_slices": runPackets, "hooks_pile": runHooks, "timeouts_of_a_day": runBackends,
	"drip_under_sawtooth": runDrip, "shared_helper_leak": runSharedLeak,
	"shared_helper_full": runSharedFull, "two_generations": runGenerations, "inflight_ramp": runInflight,
}

// A session is copied for each request; the map in all copies is one.
type session struct {
	user  string
	attrs map[int]*attribute
}

type attribute struct{ text [220]byte }

func withAttribute(s session, i int) session {
	s.attrs[i] = new(attribute)
	return s
}

func runSessions(ctx context.Context, _ float64) {
	base := session{user: "everybody", attrs: make(map[int]*attribute)}
	pace.Every(ctx, 3000, func(i int) {
		mine := withAttribute(base, i)
		mine.user = "somebody"
	})
}

// The score of nothing is not a number; such a key is never found again, not even to delete it.
type board struct{ places map[float64]*place }

type place struct{ runs [30]int64 }

func (b *board) enter(hits, tries int) {
	score := math.Log(float64(hits - tries))
	p := b.places[score]
	if p == nil {
		p = new(place)
		b.places[score] = p
	}
	p.runs[tries%30]++
	defer delete(b.places, score)
}

func runScores(ctx context.Context, _ float64) {
	b := &board{places: make(map[float64]*place)}
	pace.Every(ctx, 3500, func(i int) { b.enter(i%7, 7+i%90) })
}

// A key with a pointer in it equals only itself.
type routeKey struct {
	host  string
	proxy *proxy
}

type proxy struct{ port int }

type router struct {
	mu    sync.Mutex
	known map[interface{}][]byte
}

func (r *router) resolve(host string, port int) []byte {
	key := routeKey{host, &proxy{port}}
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.known[key]; ok {
		return found
	}
	r.known[key] = make([]byte, 300)
	return r.known[key]
}

func runRoutes(ctx context.Context, _ float64) {
	r := &router{known: make(map[interface{}][]byte)}
	pace.Every(ctx, 2800, func(i int) { r.resolve("one.example", i%50) })
}

// What expires is found by an index of deadlines, and a ticket that is issued again in the same second takes its place there.
type ticket struct{ payload [400]byte }

type office struct {
	tickets map[int]*ticket
	due     map[int64]int
}

func (o *office) issue(id int, at int64) {
	o.tickets[id] = new(ticket)
	o.due[at] = id
}

func (o *office) expire(now int64) {
	for at, id := range o.due {
		if at < now {
			delete(o.tickets, id)
			delete(o.due, at)
		}
	}
}

func runTickets(ctx context.Context, _ float64) {
	o := &office{tickets: make(map[int]*ticket), due: make(map[int64]int)}
	start := time.Now()
	pace.Every(ctx, 2400, func(i int) {
		ms := time.Since(start).Milliseconds()
		o.issue(i, ms/2)
		if i%200 == 0 {
			o.expire(ms/2 - 250)
		}
	})
}

// A counter for each combination of labels, and one label is the user's number.
type meterVec struct {
	mu     sync.Mutex
	series map[string]*meter
}

type meter struct{ buckets [24]float64 }

func (v *meterVec) with(labels ...string) *meter {
	key := strings.Join(labels, "\xff")
	v.mu.Lock()
	defer v.mu.Unlock()
	m := v.series[key]
	if m == nil {
		m = new(meter)
		v.series[key] = m
	}
	return m
}

func countStatus(v *meterVec, i int) {
	v.with("status", [...]string{"200", "404", "500"}[i%3]).buckets[0]++
}

func countUser(v *meterVec, i int) { v.with("user", fmt.Sprint(1000000+i), "path", "/cart").buckets[0]++ }

func runMeters(ctx context.Context, _ float64) {
	v := &meterVec{series: make(map[string]*meter)}
	pace.Every(ctx, 2600, func(i int) {
		countStatus(v, i)
		countUser(v, i)
	})
}

// Sixteen bytes of each packet are remembered, and with them all of it.
type flows struct{ heads [][]byte }

func readPacket(i int) []byte {
	packet := make([]byte, 9000)
	packet[0] = byte(i)
	return packet
}

func (f *flows) remember(packet []byte) { f.heads = append(f.heads, packet[:16]) }

func runPackets(ctx context.Context, _ float64) {
	f := new(flows)
	pace.Every(ctx, 120, func(i int) { f.remember(readPacket(i)) })
}

// Each connection asks to be told of the shutdown, and nobody strikes it off when it ends.
type shutdown struct{ hooks []func() }

func (s *shutdown) onStop(hook func()) { s.hooks = append(s.hooks, hook) }

func acceptConnection(s *shutdown, i int) {
	buffer := make([]byte, 600)
	s.onStop(func() { buffer[0] = byte(i) })
}

func runHooks(ctx context.Context, _ float64) {
	s := new(shutdown)
	pace.Every(ctx, 1800, func(i int) { acceptConnection(s, i) })
}

// A deadline of a day is set for each call, and the call's end does not lift it.
func callBackend(ctx context.Context, i int) int {
	inner, cancel := context.WithTimeout(ctx, 24*time.Hour)
	if i < 0 {
		cancel()
	}
	if inner.Err() != nil {
		return 0
	}
	return i
}

func runBackends(ctx context.Context, _ float64) { pace.Every(ctx, 2500, func(i int) { callBackend(ctx, i) }) }

// Batches are collected and sent off; the number of each batch's first row is noted for good, with a copy of the row.
type batcher struct {
	rows  [][]byte
	first map[int][]byte
}

func (b *batcher) add(i int) {
	b.rows = append(b.rows, make([]byte, 1<<10))
	if len(b.rows) > 12000 {
		b.rows = nil
	}
}

func (b *batcher) audit(i int) { b.first[i] = make([]byte, 1<<10) }

func runDrip(ctx context.Context, _ float64) {
	b := &batcher{first: make(map[int][]byte)}
	pace.Every(ctx, 5000, func(i int) {
		b.add(i)
		if i%10 == 0 {
			b.audit(i)
		}
	})
}

// One helper copies for all; of its two callers one keeps the last few, and the other everything.
func cloneBytes(from []byte) []byte { return append([]byte(nil), from...) }

type recent struct {
	last [4000][]byte
	at   int
}

func (r *recent) push(b []byte) {
	r.last[r.at] = cloneBytes(b)
	r.at = (r.at + 1) % len(r.last)
}

type history struct{ all [][]byte }

func (h *history) record(b []byte) { h.all = append(h.all, cloneBytes(b)) }

func runSharedLeak(ctx context.Context, _ float64) {
	r, h, message := new(recent), new(history), make([]byte, 900)
	pace.Every(ctx, 4000, func(i int) {
		r.push(message)
		if i%3 == 0 {
			h.record(message)
		}
	})
}
