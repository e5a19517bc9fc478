// Package pace drives the programs: so many calls a second, mostly asleep, until the run ends.
package pace

import (
	"context"
	"sync/atomic"
	"time"
)

const tick = 10 * time.Millisecond

var calls atomic.Int64

// Calls is the number of paced calls so far: the load, as memstats.jsonl shows it.
func Calls() int64 { return calls.Load() }

// Every calls fn perSecond times a second with a running number, in ticks of 10 ms.
func Every(ctx context.Context, perSecond float64, fn func(i int)) {
	Varying(ctx, func(float64) float64 { return perSecond }, fn)
}

// Varying does so with a rate that depends on the seconds since the start.
func Varying(ctx context.Context, perSecond func(t float64) float64, fn func(i int)) {
	start, last, owed, i := time.Now(), 0.0, 0.0, 0
	for ctx.Err() == nil {
		now := time.Since(start).Seconds()
		owed += perSecond(now) * (now - last)
		last = now
		for ; owed >= 1; owed-- {
			fn(i)
			calls.Add(1)
			i++
		}
		time.Sleep(tick)
	}
}

// Go starts fn and lets the caller go on.
func Go(fn func()) { go fn() }
