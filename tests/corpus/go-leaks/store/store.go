// Package store holds the programs whose fault is in a map.
package store

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"price_book_copied": runPriceBook, "inbox_values_grow": runMailroom, "nan_buckets": runHistogram,
	"pointer_keys": runDialer, "time_keys": runPolicyCache, "expiry_misses": runLeases,
	"cache_no_expiry": runThumbs, "staircase_map": runDedup, "intern_leak": runSymbols,
	"keys_concat_leak": runQuota, "keys_sprintf_churn": runRates, "index_rebuild_churn": runCatalog,
	"peak_kept": runPeak, "swallowed_panic": runGate, "syncmap_churn": runRoster, "gc_pointers": runRoutes,
	"syncmap_leak": runSeen,
}

// A quote is copied by value, but the copy's map is the original's.
type quote struct {
	symbol string
	notes  map[string]string
}

func (q quote) annotate(order int) {
	q.notes[fmt.Sprint("order-", order)] = "seen"
}

func runPriceBook(ctx context.Context, _ float64) {
	template := quote{symbol: "ABC", notes: make(map[string]string)}
	pace.Every(ctx, 12000, func(i int) {
		mine := template
		mine.annotate(i)
	})
}

// The set of addresses is fixed; what each holds grows.
type mailroom struct{ boxes map[string][]letter }

type letter struct {
	from string
	body [120]byte
}

func (m *mailroom) deliver(to string, l letter) { m.boxes[to] = append(m.boxes[to], l) }

func runMailroom(ctx context.Context, _ float64) {
	m := &mailroom{boxes: make(map[string][]letter)}
	pace.Every(ctx, 14000, func(i int) { m.deliver(fmt.Sprint("desk", i%200), letter{from: "office"}) })
}

// 0/0 is a key that equals no other, itself included: each observation is a new entry that nothing can delete.
type histogram struct{ counts map[float64]int }

func (h *histogram) observe(part, whole float64) { h.counts[part/whole]++ }

func runHistogram(ctx context.Context, _ float64) {
	h := &histogram{counts: make(map[float64]int)}
	pace.Every(ctx, 40000, func(i int) {
		h.observe(float64(i%50), 50)
		h.observe(0, 0)
	})
}

// The key is the pointer, not what it points to, and each caller makes a new one.
type endpoint struct {
	host string
	port int
	pad  [6]uint64
}

type dialer struct{ conns map[*endpoint]*[16]uint64 }

func (d *dialer) connFor(e *endpoint) *[16]uint64 {
	c, ok := d.conns[e]
	if !ok {
		c = new([16]uint64)
		d.conns[e] = c
	}
	return c
}

func runDialer(ctx context.Context, _ float64) {
	d := &dialer{conns: make(map[*endpoint]*[16]uint64)}
	pace.Every(ctx, 9000, func(i int) { d.connFor(&endpoint{host: "db", port: 5000 + i%4}) })
}

// A time.Time with a monotonic reading, in an interface: two of the same second are two keys.
type policyCache struct{ verdicts map[interface{}][]byte }

func (p *policyCache) decide(subject interface{}) []byte {
	if v, ok := p.verdicts[subject]; ok {
		return v
	}
	v := make([]byte, 96)
	p.verdicts[subject] = v
	return v
}

func runPolicyCache(ctx context.Context, _ float64) {
	p := &policyCache{verdicts: make(map[interface{}][]byte)}
	pace.Every(ctx, 12000, func(i int) { p.decide(time.Now()) })
}

// Leases that were renewed have no end any more, and the sweep passes them over.
type lease struct {
	owner string
	until time.Time
	state [200]byte
}

type leaseTable struct{ held map[int]*lease }

func (t *leaseTable) grant(id int) {
	t.held[id] = &lease{owner: "node", until: time.Now().Add(time.Second)}
}

func (t *leaseTable) renew(id int) {
	if l := t.held[id]; l != nil {
		l.until = time.Time{}
	}
}

func (t *leaseTable) sweep(now time.Time) {
	for id, l := range t.held {
		if !l.until.IsZero() && now.After(l.until) {
			delete(t.held, id)
		}
	}
}

func runLeases(ctx context.Context, _ float64) {
	t := &leaseTable{held: make(map[int]*lease)}
	pace.Every(ctx, 10000, func(i int) {
		t.grant(i)
		if i%3 == 0 {
			t.renew(i)
		}
		if i%10000 == 0 {
			t.sweep(time.Now())
		}
	})
}

// A cache with a key that never comes again, and no expiry.
type thumbCache struct{ images map[string][]byte }

func (c *thumbCache) render(url string) []byte {
	if image, ok := c.images[url]; ok {
		return image
	}
	image := make([]byte, 20<<10)
	c.images[url] = image
	return image
}

func runThumbs(ctx context.Context, _ float64) {
	c := &thumbCache{images: make(map[string][]byte)}
	pace.Every(ctx, 150, func(i int) { c.render(fmt.Sprint("/p/", i, ".png")) })
}

// Keys and values without pointers: up to Go 1.23 memory shows only as a doubling now and then.
type dedup struct{ ids map[uint64]uint64 }

func (d *dedup) firstTime(id uint64) bool {
	n := d.ids[id]
	d.ids[id] = n + 1
	return n == 0
}

func runDedup(ctx context.Context, _ float64) {
	d := &dedup{ids: make(map[uint64]uint64)}
	pace.Every(ctx, 60000, func(i int) { d.firstTime(uint64(i) * 0x9e3779b97f4a7c15) })
}

type symbols struct{ table map[string]string }

func (s *symbols) intern(raw []byte) string {
	if known, ok := s.table[string(raw)]; ok {
		return known
	}
	text := string(raw)
	s.table[text] = text
	return text
}

func runSymbols(ctx context.Context, _ float64) {
	s := &symbols{table: make(map[string]string)}
	buffer := make([]byte, 0, 128)
	pace.Every(ctx, 9000, func(i int) {
		buffer = append(buffer[:0], "session/cookie/"...)
		buffer = append(buffer, fmt.Sprintf("%064x", i)...)
		s.intern(buffer)
	})
}

type quota struct{ used map[string]int }

func (q *quota) touch(tenant, request string) { q.used[tenant+"/"+request]++ }

func runQuota(ctx context.Context, _ float64) {
	q := &quota{used: make(map[string]int)}
	pace.Every(ctx, 16000, func(i int) { q.touch("tenant-with-a-long-name", fmt.Sprintf("req-%012d", i)) })
}

// The same 500 keys again and again, each built anew: garbage, nothing kept.
func lookupRate(rates map[string]float64, from, to int) float64 {
	return rates[fmt.Sprintf("currency-%04d/currency-%04d/mid-market-rate", from, to)]
}

func runRates(ctx context.Context, _ float64) {
	rates := make(map[string]float64)
	for i := 0; i < 500; i++ {
		rates[fmt.Sprintf("currency-%04d/currency-%04d/mid-market-rate", i, i+1)] = float64(i)
	}
	pace.Every(ctx, 150000, func(i int) { lookupRate(rates, i%500, i%500+1) })
}

type catalog struct{ bySKU map[string]int }

func (c *catalog) refresh(skus []string) {
	c.bySKU = nil
	for i, sku := range skus {
		if c.bySKU == nil {
			c.bySKU = make(map[string]int)
		}
		c.bySKU[sku] = i
	}
}

func runCatalog(ctx context.Context, _ float64) {
	skus := make([]string, 6000)
	for i := range skus {
		skus[i] = fmt.Sprint("sku-", i)
	}
	c := new(catalog)
	pace.Every(ctx, 60, func(int) { c.refresh(skus) })
}

// A burst fills the map once; its buckets stay when it is emptied.
var inflightByID = map[uint64][4]uint64{}

func absorbBurst(n int) {
	for i := 0; i < n; i++ {
		inflightByID[uint64(i)] = [4]uint64{uint64(i)}
	}
	for i := 0; i < n; i++ {
		delete(inflightByID, uint64(i))
	}
}

func runPeak(ctx context.Context, _ float64) {
	absorbBurst(900000)
	pace.Every(ctx, 500, func(i int) {
		inflightByID[uint64(i)] = [4]uint64{}
		delete(inflightByID, uint64(i))
	})
}

// An error path that recovers skips the release.
type gate struct{ admitted map[int]*ticket }

type ticket struct {
	id   int
	note [300]byte
}

func (g *gate) admit(id int, limits map[string]int) {
	defer func() { _ = recover() }()
	g.admitted[id] = &ticket{id: id}
	limits["used"]++
	delete(g.admitted, id)
}

func runGate(ctx context.Context, _ float64) {
	g := &gate{admitted: make(map[int]*ticket)}
	full := map[string]int{}
	pace.Every(ctx, 9000, func(i int) {
		if i%2 == 0 {
			g.admit(i, nil)
		} else {
			g.admit(i, full)
		}
	})
}

// Each new key after a promotion makes the old sync.Map copy all it has; the key set itself is bounded.
var roster sync.Map

func rotate(i int) {
	roster.Store(i, i)
	roster.Delete(i - 20000)
	for k := 0; k < 40; k++ {
		roster.Load(-1 - k)
	}
	roster.Range(func(_, _ interface{}) bool { return false })
}

func runRoster(ctx context.Context, _ float64) {
	for i := -20000; i < 0; i++ {
		roster.Store(i, i)
	}
	pace.Every(ctx, 100, rotate)
}

// A big constant structure of pointers makes each collection long; the garbage only triggers them.
type hop struct {
	next *hop
	cost int
}

var routes map[uint32]*hop

func buildRouteTable(n int) {
	routes = make(map[uint32]*hop, n)
	var last *hop
	for i := 0; i < n; i++ {
		last = &hop{last, i}
		routes[uint32(i)] = last
	}
}

var sink []byte

func runRoutes(ctx context.Context, _ float64) {
	buildRouteTable(1500000)
	pace.Every(ctx, 20000, func(int) { sink = make([]byte, 4000) })
}

var visited sync.Map

func remember(path string) { visited.Store(path, math.Pi) }

func runSeen(ctx context.Context, _ float64) {
	pace.Every(ctx, 9000, func(i int) { remember(fmt.Sprint("/article/", i)) })
}
