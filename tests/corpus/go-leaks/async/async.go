// Package async holds the programs whose fault is a goroutine, a timer, a context or a lock.
package async

import (
	"context"
	"errors"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"listener_registry": runBus, "blocked_senders": runReplicas, "parked_select": runSessions,
	"ctx_never_cancelled": runCalls, "time_after_loop": runWaiters, "probe_tickers": runProbes,
	"lock_convoy": runLedger, "stuck_barrier": runBarrier, "ctx_value_chain": runTracer,
	"unread_results": runJobs,
}

// What is subscribed stays; each closure keeps its buffer.
type bus struct{ listeners []func(topic string) int }

func (b *bus) subscribe(fn func(topic string) int) { b.listeners = append(b.listeners, fn) }

func watchOrder(b *bus, id int) {
	scratch := make([]byte, 4<<10)
	b.subscribe(func(topic string) int { return len(topic) + len(scratch) + id })
}

func runBus(ctx context.Context, _ float64) {
	b := new(bus)
	pace.Every(ctx, 500, func(i int) { watchOrder(b, i) })
}

// The first answer wins; the others have nobody to send theirs to.
func askReplica(answers chan<- []byte) {
	answer := make([]byte, 2<<10)
	answers <- answer
}

func fastestReplica() []byte {
	answers := make(chan []byte)
	for i := 0; i < 3; i++ {
		go askReplica(answers)
	}
	return <-answers
}

func runReplicas(ctx context.Context, _ float64) {
	pace.Every(ctx, 120, func(int) { fastestReplica() })
}

// A pump ends when its session is closed, and nobody closes one.
type sessionPump struct {
	inbox chan []byte
	done  chan struct{}
	state []byte
}

func (s *sessionPump) loop() {
	for {
		select {
		case m := <-s.inbox:
			s.state = append(s.state[:0], m...)
		case <-s.done:
			return
		}
	}
}

func openSession() {
	s := &sessionPump{inbox: make(chan []byte), done: make(chan struct{}), state: make([]byte, 3<<10)}
	go s.loop()
	s.inbox <- []byte("hello")
}

func runSessions(ctx context.Context, _ float64) {
	pace.Every(ctx, 250, func(int) { openSession() })
}

type callKey struct{}

// The child is never cancelled, so the parent keeps it.
func beginCall(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(context.WithValue(parent, callKey{}, new([256]byte)))
	_ = cancel
	return ctx
}

func runCalls(ctx context.Context, _ float64) {
	server, stop := context.WithCancel(context.Background())
	defer stop()
	pace.Every(ctx, 5000, func(int) { _ = beginCall(server).Err() })
}

// Up to Go 1.22 the timer of each turn lives until it fires.
func waitTurn(work <-chan int) int {
	select {
	case n := <-work:
		return n
	case <-time.After(time.Hour):
		return -1
	}
}

func runWaiters(ctx context.Context, _ float64) {
	work := make(chan int, 1)
	pace.Every(ctx, 10000, func(i int) {
		work <- i
		waitTurn(work)
	})
}

// A ticker that nobody stops: kept by the runtime where go.mod says a version before 1.23.
func startProbe() *time.Ticker { return time.NewTicker(time.Hour) }

func runProbes(ctx context.Context, _ float64) {
	pace.Every(ctx, 8000, func(int) { startProbe() })
}

// One lock around a slow write: everybody waits for it, memory is fine.
type ledger struct {
	mu    sync.Mutex
	total int
}

func (l *ledger) chargeAccount(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	time.Sleep(4 * time.Millisecond)
	l.total += n
}

func runLedger(ctx context.Context, _ float64) {
	l := new(ledger)
	for i := 0; i < 60; i++ {
		go pace.Every(ctx, 20, l.chargeAccount)
	}
	<-ctx.Done()
}

// One party of each group returns early and never says that it is done.
func awaitQuorum(group *sync.WaitGroup, votes []int64) {
	group.Wait()
	votes[0]++
}

func castVote(group *sync.WaitGroup, err error) {
	if err != nil {
		return
	}
	group.Done()
}

func holdElection(i int) {
	group := new(sync.WaitGroup)
	group.Add(2)
	votes := make([]int64, 300)
	go awaitQuorum(group, votes)
	castVote(group, nil)
	castVote(group, errors.New("lost"))
}

func runBarrier(ctx context.Context, _ float64) {
	pace.Every(ctx, 300, holdElection)
}

type spanKey int

// Each step wraps the context that it was given, and the loop keeps the result.
type tracer struct{ current context.Context }

func (t *tracer) stamp(i int) {
	t.current = context.WithValue(t.current, spanKey(i), [20]uint64{uint64(i)})
}

func runTracer(ctx context.Context, _ float64) {
	t := &tracer{current: context.Background()}
	pace.Every(ctx, 6000, t.stamp)
}

// Results go to a channel of fixed size; the reader went away, the workers wait in send.
func computeShare(results chan<- [64]int64, i int) {
	var share [64]int64
	share[0] = int64(i)
	results <- share
}

func runJobs(ctx context.Context, seconds float64) {
	results := make(chan [64]int64, 100)
	go func() {
		for n := 0; n < 200; n++ {
			<-results
		}
	}()
	pace.Every(ctx, 200, func(i int) { go computeShare(results, i) })
}
