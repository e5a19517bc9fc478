// Package steady holds the programs without a fault: what they keep is bounded, or follows the load.
package steady

import (
	"container/list"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"lru_full": runLRU, "load_ramp": runRamp, "daily_cycle": runCycle, "config_reload": runReload, "warm_cache": runWarm,
	"const_table": runTable, "workers_idle": runWorkers, "burst_fanout": runBurst, "pool_churn": runPool, "ring_full": runRing,
	"grow_then_flat": runPlateau, "fifo_reslice": runFIFO, "ctx_cancelled": runCancelled, "sawtooth_flush": runFlush,
	"ttl_cache": runTTL, "json_churn": runRender, "slow_gc_heap": runLazy,
}

type lru struct {
	order *list.List
	items map[int]*list.Element
	limit int
}

type page struct {
	id   int
	body [512]byte
}

func (c *lru) fetch(id int) {
	if e, ok := c.items[id]; ok {
		c.order.MoveToFront(e)
		return
	}
	c.items[id] = c.order.PushFront(&page{id: id})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		delete(c.items, c.order.Remove(last).(*page).id)
	}
}

func newLRU(limit int) *lru { return &lru{list.New(), make(map[int]*list.Element), limit} }

func runLRU(ctx context.Context, _ float64) {
	c := newLRU(30000)
	for i := 0; i < 30000; i++ {
		c.fetch(-i)
	}
	pace.Every(ctx, 9000, c.fetch)
}

// What a request needs, it holds for 1.5 s: memory is the load times that.
type desk struct {
	mu      sync.Mutex
	pending map[int][]byte
}

func (d *desk) handle(i int) {
	d.mu.Lock()
	d.pending[i] = make([]byte, 24<<10)
	d.mu.Unlock()
	time.AfterFunc(1500*time.Millisecond, func() {
		d.mu.Lock()
		delete(d.pending, i)
		d.mu.Unlock()
	})
}

func runRamp(ctx context.Context, seconds float64) {
	d := &desk{pending: make(map[int][]byte)}
	pace.Varying(ctx, func(t float64) float64 { return 150 + 850*t/seconds }, d.handle)
}

func runCycle(ctx context.Context, seconds float64) {
	d := &desk{pending: make(map[int][]byte)}
	pace.Varying(ctx, func(t float64) float64 { return 600 - 450*math.Cos(2*math.Pi*2.5*t/seconds) }, d.handle)
}

// Half-way a new configuration, twice as big, takes the place of the old one.
type settings struct{ rules map[string][]byte }

func loadSettings(n int) *settings {
	s := &settings{rules: make(map[string][]byte)}
	for i := 0; i < n; i++ {
		s.rules[fmt.Sprint("rule.", i)] = make([]byte, 1<<10)
	}
	return s
}

func runReload(ctx context.Context, seconds float64) {
	current := loadSettings(12000)
	reloaded := false
	start := time.Now()
	pace.Every(ctx, 200, func(int) {
		if !reloaded && time.Since(start).Seconds() > seconds/2 {
			current, reloaded = loadSettings(26000), true
		}
		_ = current.rules["rule.1"]
	})
}

type warm struct{ pages map[int]*page }

func (w *warm) load(i int) {
	if w.pages[i] == nil {
		w.pages[i] = &page{id: i}
	}
}

// 40 % of the run to have seen every key once.
func runWarm(ctx context.Context, seconds float64) {
	w := &warm{pages: make(map[int]*page)}
	keys := int(5000 * seconds * 0.4)
	pace.Every(ctx, 5000, func(i int) { w.load(i % keys) })
}

var dictionary map[string][2]uint64

func loadDictionary(n int) {
	dictionary = make(map[string][2]uint64, n)
	for i := 0; i < n; i++ {
		dictionary[fmt.Sprint("word-", i)] = [2]uint64{uint64(i)}
	}
}

func runTable(ctx context.Context, _ float64) {
	loadDictionary(500000)
	pace.Every(ctx, 5000, func(i int) { _ = dictionary[fmt.Sprint("word-", i%500000)] })
}

func stand(jobs <-chan int, scratch []byte) {
	for i := range jobs {
		scratch[i%len(scratch)]++
	}
}

func runWorkers(ctx context.Context, _ float64) {
	jobs := make(chan int)
	for i := 0; i < 900; i++ {
		go stand(jobs, make([]byte, 8<<10))
	}
	pace.Every(ctx, 3000, func(i int) { jobs <- i })
}

func scatter(done *sync.WaitGroup) {
	defer done.Done()
	part := make([]byte, 8<<10)
	time.Sleep(700 * time.Millisecond)
	part[0]++
}

func runBurst(ctx context.Context, _ float64) {
	pace.Every(ctx, 0.6, func(int) {
		var done sync.WaitGroup
		for i := 0; i < 800; i++ {
			done.Add(1)
			go scatter(&done)
		}
		done.Wait()
	})
}

var scratchPool = sync.Pool{New: func() interface{} { return new([64 << 10]byte) }}

func encodeFrame(i int) {
	scratch := scratchPool.Get().(*[64 << 10]byte)
	scratch[i%len(scratch)]++
	if i%50 != 0 {
		scratchPool.Put(scratch)
	}
}

func runPool(ctx context.Context, _ float64) { pace.Every(ctx, 3000, encodeFrame) }

type ring struct {
	slots [][]byte
	next  int
}

func (r *ring) push(int) {
	r.slots[r.next] = make([]byte, 1<<10)
	r.next = (r.next + 1) % len(r.slots)
}

// Full after a third of the run, then each push takes the place of an old one.
func runRing(ctx context.Context, seconds float64) {
	r := &ring{slots: make([][]byte, int(4000*seconds/3))}
	pace.Every(ctx, 4000, r.push)
}

type hub struct{ clients [][]byte }

func (h *hub) join(limit int) {
	if len(h.clients) < limit {
		h.clients = append(h.clients, make([]byte, 8<<10))
	}
}

// Clients come until all are there, at 55 % of the run.
func runPlateau(ctx context.Context, seconds float64) {
	h := new(hub)
	limit := int(300 * seconds * 0.55)
	pace.Every(ctx, 300, func(int) { h.join(limit) })
}

type conveyor struct{ items []*page }

func (c *conveyor) step(i int) {
	c.items = append(c.items, &page{id: i})
	if len(c.items) > 15000 {
		c.items[0] = nil
		c.items = c.items[1:]
	}
}

func runFIFO(ctx context.Context, _ float64) {
	c := new(conveyor)
	for i := 0; i < 15000; i++ {
		c.step(i)
	}
	pace.Every(ctx, 6000, c.step)
}

func finishCall(parent context.Context) {
	ctx, cancel := context.WithTimeout(parent, time.Hour)
	defer cancel()
	_ = ctx.Err()
}

func runCancelled(ctx context.Context, _ float64) {
	server, stop := context.WithCancel(context.Background())
	defer stop()
	pace.Every(ctx, 9000, func(int) { finishCall(server) })
}

type shipment struct{ lines []*page }

func (s *shipment) add(i int) {
	s.lines = append(s.lines, &page{id: i})
	if len(s.lines) == 26000 {
		s.lines = nil
	}
}

func runFlush(ctx context.Context, _ float64) {
	s := new(shipment)
	pace.Every(ctx, 6000, s.add)
}

type tokenStore struct {
	tokens map[int]*page
	oldest int
}

// A token lives a fifth of the run: memory grows for that long, then as many go as come.
func (t *tokenStore) issue(i, lifetime int) {
	t.tokens[i] = &page{id: i}
	for ; t.oldest < i-lifetime; t.oldest++ {
		delete(t.tokens, t.oldest)
	}
}

func runTTL(ctx context.Context, seconds float64) {
	t := &tokenStore{tokens: make(map[int]*page)}
	lifetime := int(7000 * seconds / 5)
	pace.Every(ctx, 7000, func(i int) { t.issue(i, lifetime) })
}

var rendered string

func renderRow(i int) { rendered = fmt.Sprintf("%08d %x %s", i, i*i, time.Unix(int64(i), 0).UTC()) }

func runRender(ctx context.Context, _ float64) { pace.Every(ctx, 20000, renderRow) }

var archive [][]byte

func loadArchive() {
	for i := 0; i < 60; i++ {
		archive = append(archive, make([]byte, 1<<20))
	}
}

// A big live heap and little garbage: a collection is rare, so that in use looks as if it rose for a long time.
func runLazy(ctx context.Context, _ float64) {
	loadArchive()
	pace.Every(ctx, 3000, func(int) { rendered = string(make([]byte, 900)) })
}
