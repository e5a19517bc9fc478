package later

import (
	"context"
	"fmt"
	"math/rand"
	"runtime/debug"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

type shelf struct{ books map[int]*held }

func (s *shelf) fetch(id int) {
	if s.books[id] == nil {
		s.books[id] = &held{id: id}
	}
}

// Keys are drawn from a fixed set: fast growth, then ever slower, as real caches warm up.
func runSaturating(ctx context.Context, seconds float64) {
	s := &shelf{books: make(map[int]*held)}
	dice := rand.New(rand.NewSource(7))
	keys := 40000
	pace.Every(ctx, 6*float64(keys)/seconds, func(int) { s.fetch(dice.Intn(keys)) })
}

type fleet struct{ machines [][]byte }

func (f *fleet) scaleTo(n int) {
	for len(f.machines) < n {
		f.machines = append(f.machines, make([]byte, 1<<10))
	}
}

// More machines are added at 15, 30 and 45 % of the run.
func runSteps(ctx context.Context, seconds float64) {
	f := new(fleet)
	start := time.Now()
	pace.Every(ctx, 100, func(int) {
		share := time.Since(start).Seconds() / seconds
		f.scaleTo(7000)
		for i, at := range [...]float64{0.15, 0.30, 0.45} {
			if share > at {
				f.scaleTo(14000 + 7000*i)
			}
		}
	})
}

// A backlog that is worked off.
func runFalling(ctx context.Context, seconds float64) {
	s := &shelf{books: make(map[int]*held)}
	n := int(2500 * seconds)
	for i := 0; i < n; i++ {
		s.fetch(i)
	}
	pace.Every(ctx, 2000, func(i int) { delete(s.books, i) })
}

var lastRow *held

func makeRow(i int) { lastRow = &held{id: i} }

// Garbage with GOGC=400 over 12 MB: few collections, each profile is from long ago.
func runRare(ctx context.Context, _ float64) {
	debug.SetGCPercent(400)
	s := &shelf{books: make(map[int]*held)}
	for i := 0; i < 16000; i++ {
		s.fetch(i)
	}
	pace.Every(ctx, 8000, makeRow)
}

func exportAll() {
	rows := make([][]byte, 0, 24000)
	for i := 0; i < 24000; i++ {
		rows = append(rows, make([]byte, 1<<10))
	}
	time.Sleep(300 * time.Millisecond)
	rows[0][0]++
}

// Now and then a request that needs 24 MB for a moment.
func runSpikes(ctx context.Context, _ float64) {
	go pace.Every(ctx, 3000, makeRow)
	pace.Every(ctx, 0.45, func(int) { exportAll() })
}

// The number of entries goes up and down by chance between two bounds.
func runWander(ctx context.Context, _ float64) {
	s := &shelf{books: make(map[int]*held)}
	dice := rand.New(rand.NewSource(3))
	low, high, up := 0, 20000, 0.5
	for i := 0; i < high; i++ {
		s.fetch(i)
	}
	pace.Every(ctx, 8000, func(i int) {
		if i%6000 == 0 {
			up = 0.3 + 0.4*dice.Float64()
		}
		if size := high - low; (dice.Float64() < up || size < 8000) && size < 40000 {
			s.fetch(high)
			high++
		} else {
			delete(s.books, low)
			low++
		}
	})
}

func attend(wait time.Duration) {
	desk := make([]byte, 4<<10)
	time.Sleep(wait)
	desk[0]++
}

// Goroutines in number as the load, which rises until 60 % of the run.
func runFollow(ctx context.Context, seconds float64) {
	pace.Varying(ctx, func(t float64) float64 {
		if share := t / seconds; share < 0.6 {
			return 100 + 1200*share
		}
		return 820
	}, func(int) { go attend(1200 * time.Millisecond) })
}

type lexicon struct {
	mu    sync.Mutex
	words map[string]string
}

func (l *lexicon) canonical(word string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.words[word]; ok {
		return known
	}
	l.words[word] = word
	return word
}

// Interning of a bounded vocabulary, all seen early on.
func runBounded(ctx context.Context, _ float64) {
	l := &lexicon{words: make(map[string]string)}
	pace.Every(ctx, 30000, func(i int) { l.canonical(fmt.Sprintf("word-%032d", i%60000)) })
}
