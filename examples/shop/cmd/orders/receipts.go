package main

import (
	"fmt"
	"strings"
	"sync"

	"example.com/shop/internal/service"
)

// receipts renders an order's receipt.
//
// The fault: with the cache on, each rendered receipt is kept in byURL under the whole URL of the request. The
// storefront puts a request id into that URL, so no key is ever asked for twice, and nothing is ever deleted.
type receipts struct {
	cache service.Switch
	byURL sync.Map
}

func (rs *receipts) of(url string, o *order) string {
	if !rs.cache.On() {
		return render(o)
	}
	if kept, ok := rs.byURL.Load(url); ok {
		return kept.(string)
	}
	receipt := render(o)
	rs.remember(url, receipt)
	return receipt
}

func (rs *receipts) remember(url, receipt string) { rs.byURL.Store(url, receipt) }

// render makes a page of about 20 KB, most of it the terms of sale that the law wants on every receipt.
func render(o *order) string {
	var page strings.Builder
	fmt.Fprintf(&page, "<h1>Receipt for order %s</h1><p>%s, paid by %s</p><table>", o.ID, o.Customer, o.Method)
	for _, it := range o.Items {
		fmt.Fprintf(&page, "<tr><td>%s<td>%d<td>%d.%02d", it.SKU, it.Quantity, it.PriceCents/100, it.PriceCents%100)
	}
	fmt.Fprintf(&page, "</table><p>Total %d.%02d</p>", o.TotalCents/100, o.TotalCents%100)
	for clause := 1; clause <= 120; clause++ {
		fmt.Fprintf(&page, "<p>%d. Goods of order %s remain the property of the shop until they are paid in full; "+
			"complaints are to be made in writing within fourteen days.</p>", clause, o.ID)
	}
	return page.String()
}
