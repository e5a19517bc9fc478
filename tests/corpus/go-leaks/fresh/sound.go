package fresh

import (
	"context"
	"time"

	"corpus.example/lab/pace"
)

// Both callers of the helper keep the last few: they fill at different speeds, and are full at 15 and at 40 % of the run.
func runSharedFull(ctx context.Context, seconds float64) {
	quick, slow, message := new(recent), new(recent), make([]byte, 2000)
	each := float64(len(quick.last)) / (0.15 * seconds)
	pace.Every(ctx, each, func(i int) {
		quick.push(message)
		if i%8 < 3 {
			slow.push(message)
		}
	})
}

// What was not asked for since the last change of generations goes.
type generations struct{ young, old map[int]*attribute }

func (g *generations) load(id int) *attribute {
	a := g.young[id]
	if a == nil {
		if a = g.old[id]; a == nil {
			a = new(attribute)
		}
		g.young[id] = a
	}
	return a
}

func (g *generations) turn() { g.old, g.young = g.young, make(map[int]*attribute) }

func runGenerations(ctx context.Context, seconds float64) {
	g := &generations{young: make(map[int]*attribute)}
	turned := time.Now()
	pace.Every(ctx, 9000, func(i int) {
		g.load(i)
		if time.Since(turned).Seconds() > seconds/7 {
			g.turn()
			turned = time.Now()
		}
	})
}

// Requests last 0.4 s each; there are four times as many at the end as at the start.
func handleForAWhile(ctx context.Context) {
	body := make([]byte, 4<<10)
	select {
	case <-ctx.Done():
	case <-time.After(400 * time.Millisecond):
		body[0]++
	}
}

func runInflight(ctx context.Context, seconds float64) {
	pace.Varying(ctx, func(t float64) float64 { return 150 * (1 + 3*t/seconds) }, func(int) { go handleForAWhile(ctx) })
}
