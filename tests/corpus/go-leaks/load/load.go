// Package load holds a fourth set: what rises because more is asked for, and leaks that rise with it. Arrivals are random.
package load

import (
	"context"
	"math"
	"math/rand"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"long_polls": runPolls, "logins_rise": runLogins, "popular_pages": runPages,
	"replies_unread": runReplies, "remembered_logins": runRemembered,
}

// rising is a rate that trebles over the run.
func rising(first, seconds float64) func(t float64) float64 {
	return func(t float64) float64 { return first * (1 + 2*t/seconds) }
}

// Who polls is answered by the next event, half a second later on average.
type board struct {
	mu      sync.Mutex
	waiting []chan int
}

func (b *board) await() int {
	reply := make(chan int, 1)
	b.mu.Lock()
	b.waiting = append(b.waiting, reply)
	b.mu.Unlock()
	return <-reply
}

// answer serves the share of those who wait that a Poisson process would.
func (b *board) answer(dice *rand.Rand, share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stay := b.waiting[:0]
	for _, reply := range b.waiting {
		if dice.Float64() < share {
			reply <- 1
		} else {
			stay = append(stay, reply)
		}
	}
	b.waiting = stay
}

func runPolls(ctx context.Context, seconds float64) {
	b, dice := new(board), rand.New(rand.NewSource(3))
	go pace.Every(ctx, 20, func(int) { b.answer(dice, 0.1) })
	arrivals := rand.New(rand.NewSource(4))
	pace.Varying(ctx, rising(400, seconds), func(int) {
		if arrivals.Float64() < 0.5 {
			go b.await()
		}
	})
}

type login struct {
	ends time.Time
	page [900]byte
}

// Sessions end after a while, 3 s on average; those that are remembered never do.
type logins struct {
	open map[int]*login
	dice *rand.Rand
}

func (l *logins) enter(id int, share float64) {
	life := time.Duration(3 * l.dice.ExpFloat64() * float64(time.Second))
	if l.dice.Float64() < share {
		life = math.MaxInt64 / 2
	}
	l.open[id] = &login{ends: time.Now().Add(life)}
}

func (l *logins) expire() {
	now := time.Now()
	for id, one := range l.open {
		if one.ends.Before(now) {
			delete(l.open, id)
		}
	}
}

func serveLogins(ctx context.Context, seconds, share float64) {
	l := &logins{open: make(map[int]*login), dice: rand.New(rand.NewSource(5))}
	pace.Varying(ctx, rising(2500, seconds), func(i int) {
		l.enter(i, share)
		if i%500 == 0 {
			l.expire()
		}
	})
}

func runLogins(ctx context.Context, seconds float64)     { serveLogins(ctx, seconds, 0) }
func runRemembered(ctx context.Context, seconds float64) { serveLogins(ctx, seconds, 0.4) }

// What is asked for often is there soon, the rest comes ever more seldom.
type pages struct{ known map[uint64][]byte }

func (p *pages) open(id uint64) []byte {
	text := p.known[id]
	if text == nil {
		text = make([]byte, 1500)
		p.known[id] = text
	}
	return text
}

func runPages(ctx context.Context, seconds float64) {
	p := &pages{known: make(map[uint64][]byte)}
	zipf := rand.NewZipf(rand.New(rand.NewSource(6)), 1.2, 20, 30000)
	pace.Every(ctx, 9000*20/seconds, func(int) { p.open(zipf.Uint64()) })
}

// One of twelve who ask has gone when the reply comes, and nobody takes it.
func reply(to chan<- int, after time.Duration) {
	time.Sleep(after)
	to <- 1
}

func runReplies(ctx context.Context, seconds float64) {
	dice := rand.New(rand.NewSource(8))
	pace.Varying(ctx, rising(150, seconds), func(int) {
		to, gone := make(chan int), dice.Intn(12) == 0
		go reply(to, time.Duration(300*dice.ExpFloat64())*time.Millisecond)
		if !gone {
			go func() { <-to }()
		}
	})
}
