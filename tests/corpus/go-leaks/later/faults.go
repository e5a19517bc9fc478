// Package later holds the programs that were written after the analysis had been tuned on the others: what it says of
// them tells how it does on programs it never saw.
package later

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"corpus.example/lab/pace"
)

// Programs by name.
var Programs = map[string]func(ctx context.Context, seconds float64){
	"trie_grows": runTrie, "transcript_buffer": runTranscript, "reminders_pile": runReminders, "sleepers": runRetries,
	"forgotten_unlock": runVault, "nested_maps": runMatrix, "leak_in_ramp": runRampLeak, "leak_in_cycle": runCycleLeak,
	"late_leak": runLateLeak, "big_tiles": runTiles, "generic_store": runBox, "finalizer_cycle": runHandles, "defer_in_loop": runFeed,
	"join_churn": runJoin, "write_lock_wait": runNames, "cleared_slice_kept": runUpload,
	"saturating_cache": runSaturating, "three_steps": runSteps, "memory_falls": runFalling, "rare_collections": runRare,
	"spiky_requests": runSpikes, "size_wanders": runWander, "goroutines_follow": runFollow, "interned_bounded": runBounded,
}

type node struct {
	next  [26]*node
	count int
}

type trie struct{ root node }

func (t *trie) insert(word string) {
	at := &t.root
	for _, c := range word {
		if at.next[c-'a'] == nil {
			at.next[c-'a'] = new(node)
		}
		at = at.next[c-'a']
	}
	at.count++
}

// Words that are all new: the tree never has an end.
func runTrie(ctx context.Context, _ float64) {
	t := new(trie)
	word := make([]byte, 9)
	pace.Every(ctx, 2500, func(i int) {
		for k := range word {
			word[k] = byte('a' + (i*7919>>(2*uint(k)))%26)
		}
		t.insert(string(word))
	})
}

type transcript struct{ text bytes.Buffer }

func (t *transcript) note(i int) {
	fmt.Fprintf(&t.text, "line %08d: somebody said something that is kept for good, and another thing, and a third\n", i)
}

func runTranscript(ctx context.Context, _ float64) {
	t := new(transcript)
	pace.Every(ctx, 25000, t.note)
}

// A reminder of tomorrow holds its letter until then.
func scheduleReminder(int) {
	letter := make([]byte, 1<<10)
	time.AfterFunc(24*time.Hour, func() { letter[0]++ })
}

func runReminders(ctx context.Context, _ float64) { pace.Every(ctx, 2500, scheduleReminder) }

func retryLater(attempt []byte) {
	time.Sleep(24 * time.Hour)
	attempt[0]++
}

func runRetries(ctx context.Context, _ float64) {
	pace.Every(ctx, 220, func(int) { go retryLater(make([]byte, 1<<10)) })
}

// An early return leaves the lock locked; all who come later wait for it.
type vault struct {
	mu   sync.Mutex
	gold int
}

func (v *vault) withdraw(n int) {
	v.mu.Lock()
	if n == 40 {
		return
	}
	v.gold -= n
	v.mu.Unlock()
}

func runVault(ctx context.Context, _ float64) {
	v := new(vault)
	pace.Every(ctx, 250, func(i int) { go v.withdraw(i) })
}

type matrix struct{ cells map[string]map[int]int64 }

func (m *matrix) bump(row string, column int) {
	if m.cells[row] == nil {
		m.cells[row] = make(map[int]int64)
	}
	m.cells[row][column]++
}

func runMatrix(ctx context.Context, _ float64) {
	m := &matrix{cells: make(map[string]map[int]int64)}
	rows := [...]string{"north", "south", "east", "west", "centre"}
	pace.Every(ctx, 45000, func(i int) { m.bump(rows[i%len(rows)], i) })
}

type held struct {
	id   int
	data [700]byte
}

type keeper struct {
	kept  []*held
	brief []*held
}

func (k *keeper) keepForever(i int) { k.kept = append(k.kept, &held{id: i}) }

func (k *keeper) keepBriefly(i, most int) {
	k.brief = append(k.brief, &held{id: i})
	if len(k.brief) > most {
		k.brief = append([]*held(nil), k.brief[len(k.brief)-most:]...)
	}
}

// The load doubles, and one request in three is kept for ever.
func runRampLeak(ctx context.Context, seconds float64) {
	k := new(keeper)
	pace.Varying(ctx, func(t float64) float64 { return 4000 * (1 + t/seconds) }, func(i int) {
		if i%3 == 0 {
			k.keepForever(i)
		}
	})
}

// Memory goes up and down with what is at work, and a little stays each time.
func runCycleLeak(ctx context.Context, seconds float64) {
	k := new(keeper)
	start := time.Now()
	pace.Every(ctx, 4000, func(i int) {
		phase := int(8*time.Since(start).Seconds()/seconds) % 2
		k.keepBriefly(i, 3000+9000*phase)
		if i%4 == 0 {
			k.keepForever(i)
		}
	})
}

type spool struct{ held [][]byte }

func (s *spool) hold() { s.held = append(s.held, make([]byte, 3<<10)) }

// Something changes at 40 % of the run, and from then on nothing is let go.
func runLateLeak(ctx context.Context, seconds float64) {
	s := new(spool)
	start := time.Now()
	pace.Every(ctx, 1500, func(int) {
		s.hold()
		if time.Since(start).Seconds() < 0.4*seconds && len(s.held) > 500 {
			s.held = s.held[:0]
		}
	})
}

var tiles = map[int][]byte{}

func loadTile(i int) { tiles[i] = make([]byte, 1<<20) }

func runTiles(ctx context.Context, _ float64) { pace.Every(ctx, 4, loadTile) }

type box[K comparable, V any] struct{ inside map[K]*V }

func (b *box[K, V]) stow(key K) {
	if b.inside[key] == nil {
		b.inside[key] = new(V)
	}
}

func runBox(ctx context.Context, _ float64) {
	b := &box[int, held]{inside: make(map[int]*held)}
	pace.Every(ctx, 3500, b.stow)
}

// Two that refer to each other and have finalizers are never collected.
type handle struct {
	peer *handle
	data [500]byte
}

func openPair(int) {
	a, b := new(handle), new(handle)
	a.peer, b.peer = b, a
	runtime.SetFinalizer(a, func(h *handle) { h.peer = nil })
	runtime.SetFinalizer(b, func(h *handle) { h.peer = nil })
}

func runHandles(ctx context.Context, _ float64) { pace.Every(ctx, 2500, openPair) }

// Deferred calls of a loop that never returns pile up.
func drainFeed(ctx context.Context) {
	for ctx.Err() == nil {
		for n := 0; n < 40; n++ {
			row := make([]byte, 600)
			defer func() { row[0]++ }()
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func runFeed(ctx context.Context, _ float64) { drainFeed(ctx) }

var joined string

func joinSlowly(parts []string) {
	text := ""
	for _, part := range parts {
		text += part + ","
	}
	joined = text
}

func runJoin(ctx context.Context, _ float64) {
	parts := strings.Split(strings.Repeat("a word and ", 120), " ")
	pace.Every(ctx, 150, func(int) { joinSlowly(parts) })
}

// Readers wait while a writer sleeps with the lock.
type names struct {
	mu    sync.RWMutex
	byKey map[int]string
}

func (n *names) rename(i int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	time.Sleep(30 * time.Millisecond)
	n.byKey[i%10] = "new"
}

func (n *names) lookUp(i int) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.byKey[i%10]
}

func runNames(ctx context.Context, _ float64) {
	n := &names{byKey: make(map[int]string)}
	for i := 0; i < 80; i++ {
		go pace.Every(ctx, 15, func(i int) { n.lookUp(i) })
	}
	pace.Every(ctx, 20, n.rename)
}

var upload []byte

// One big upload; the slice is cut to nothing and its array kept.
func absorbUpload() {
	for i := 0; i < 60<<20; i += 1 << 10 {
		upload = append(upload, make([]byte, 1<<10)...)
	}
	upload = upload[:0]
}

func runUpload(ctx context.Context, _ float64) {
	absorbUpload()
	pace.Every(ctx, 2000, func(i int) { upload = append(upload[:0], byte(i)) })
}
