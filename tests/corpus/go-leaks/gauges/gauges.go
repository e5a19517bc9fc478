// Package gauges stands for a metrics library that a program depends on: one child a set of label values, kept for ever.
package gauges

import (
	"strings"
	"sync"
)

type child struct {
	labels  []string
	value   float64
	buckets [12]uint64
}

// Vec is a family of gauges that differ by their labels.
type Vec struct {
	mu       sync.Mutex
	children map[string]*child
}

func NewVec() *Vec { return &Vec{children: make(map[string]*child)} }

// With makes the child for labels where there is none yet. Nothing removes one.
func (v *Vec) With(labels ...string) *child {
	key := strings.Join(labels, "\xff")
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.children[key]
	if !ok {
		c = &child{labels: append([]string(nil), labels...)}
		v.children[key] = c
	}
	return c
}

func (c *child) Add(x float64) {
	c.value += x
	c.buckets[int(x)%len(c.buckets)]++
}
