// Package media holds the programs whose fault is a buffer, a slice, a list or a pool.
package media

import (
	"container/list"
	"context"
	"sync"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"subslice_pin": runIndexer, "audit_append": runAudit, "queue_unbounded": runQueue, "sawtooth_leak": runBatcher,
	"leak_in_churn": runDecoder, "pool_no_release": runSlabs, "undo_chain": runEditor, "substring_pin": runAgents,
	"slow_producer_leak": runSlowAudit,
}

// Sixteen bytes of each frame are kept, and with them the whole frame.
type frameIndex struct{ headers [][]byte }

func readFrame(i int) []byte {
	frame := make([]byte, 32<<10)
	frame[0] = byte(i)
	return frame
}

func (x *frameIndex) noteHeader(frame []byte) { x.headers = append(x.headers, frame[:16]) }

func runIndexer(ctx context.Context, _ float64) {
	x := new(frameIndex)
	pace.Every(ctx, 120, func(i int) { x.noteHeader(readFrame(i)) })
}

type agentTable struct{ names map[string]int }

func readRequest(i int) string {
	text := make([]byte, 8<<10)
	for k := range text {
		text[k] = byte('a' + (i>>(uint(k)%20))&1)
	}
	return string(text)
}

// The key is a part of the request's text, so that the text stays.
func (t *agentTable) countAgent(request string) { t.names[request[:24]]++ }

func runAgents(ctx context.Context, _ float64) {
	t := &agentTable{names: make(map[string]int)}
	pace.Every(ctx, 400, func(i int) { t.countAgent(readRequest(i)) })
}

type auditEntry struct {
	seq    int
	who    string
	before [4]uint64
}

type auditTrail struct{ entries []auditEntry }

func (a *auditTrail) record(seq int) {
	a.entries = append(a.entries, auditEntry{seq: seq, who: "user"})
}

func runAudit(ctx context.Context, _ float64) {
	a := new(auditTrail)
	pace.Every(ctx, 30000, a.record)
}

// The same in the small: some hundred kilobytes a second.
func runSlowAudit(ctx context.Context, _ float64) {
	a := new(thinTrail)
	pace.Every(ctx, 800, a.jot)
}

type thinTrail struct{ pages []*[512]byte }

func (t *thinTrail) jot(int) { t.pages = append(t.pages, new([512]byte)) }

type parcel struct {
	id   int
	body [160]byte
}

// Twice as much comes in as goes out.
type workQueue struct {
	mu    sync.Mutex
	tasks *list.List
}

func (q *workQueue) enqueue(id int) {
	q.mu.Lock()
	q.tasks.PushBack(&parcel{id: id})
	q.mu.Unlock()
}

func (q *workQueue) dequeue(int) {
	q.mu.Lock()
	if first := q.tasks.Front(); first != nil {
		q.tasks.Remove(first)
	}
	q.mu.Unlock()
}

func runQueue(ctx context.Context, _ float64) {
	q := &workQueue{tasks: list.New()}
	go pace.Every(ctx, 5000, q.dequeue)
	pace.Every(ctx, 12000, q.enqueue)
}

// A batch is flushed every three seconds; what was refused is parked, and stays.
type batcher struct {
	batch  [][]byte
	parked [][]byte
}

func (b *batcher) collect(i int) {
	b.batch = append(b.batch, make([]byte, 1<<10))
	if len(b.batch) == 18000 {
		b.flush()
	}
}

func (b *batcher) flush() {
	for i, item := range b.batch {
		if i%8 == 0 {
			b.park(item)
		}
	}
	b.batch = nil
}

func (b *batcher) park(item []byte) { b.parked = append(b.parked, append([]byte(nil), item...)) }

func runBatcher(ctx context.Context, _ float64) {
	b := new(batcher)
	pace.Every(ctx, 6000, b.collect)
}

// 30 MB a second of garbage, of which one buffer in 60 stays.
var keptThumbs [][]byte

var blackhole []byte

func scaleImage(i int) {
	pixels := make([]byte, 6<<10)
	blackhole = pixels
	if i%60 == 0 {
		keptThumbs = append(keptThumbs, pixels)
	}
}

func runDecoder(ctx context.Context, _ float64) { pace.Every(ctx, 5000, scaleImage) }

// A pool of slabs; the path that fails does not give its slab back.
type slabPool struct {
	free   []*[8 << 10]byte
	leased map[int]*[8 << 10]byte
}

func (p *slabPool) lease(id int) {
	var slab *[8 << 10]byte
	if n := len(p.free); n > 0 {
		slab, p.free = p.free[n-1], p.free[:n-1]
	} else {
		slab = new([8 << 10]byte)
	}
	p.leased[id] = slab
}

func (p *slabPool) giveBack(id int) {
	p.free = append(p.free, p.leased[id])
	delete(p.leased, id)
}

func runSlabs(ctx context.Context, _ float64) {
	p := &slabPool{leased: make(map[int]*[8 << 10]byte)}
	pace.Every(ctx, 2000, func(i int) {
		p.lease(i)
		if i%6 != 0 {
			p.giveBack(i)
		}
	})
}

// Each edit points to the one before it.
type revision struct {
	previous *revision
	text     [400]byte
}

type editor struct{ head *revision }

func (e *editor) apply(int) { e.head = &revision{previous: e.head} }

func runEditor(ctx context.Context, _ float64) {
	e := new(editor)
	pace.Every(ctx, 4000, e.apply)
}
