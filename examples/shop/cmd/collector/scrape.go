package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// sheet is one scrape of one server: a resource with its metrics, all of one moment.
type sheet struct {
	metrics pmetric.Metrics
	scope   pmetric.ScopeMetrics
	start   pcommon.Timestamp
	now     pcommon.Timestamp
}

func newSheet(service string, up time.Duration) *sheet {
	now := time.Now()
	s := &sheet{metrics: pmetric.NewMetrics(), now: pcommon.NewTimestampFromTime(now),
		start: pcommon.NewTimestampFromTime(now.Add(-up))}
	resource := s.metrics.ResourceMetrics().AppendEmpty()
	attributes := resource.Resource().Attributes()
	attributes.PutStr("service.namespace", "shop")
	attributes.PutStr("service.name", service)
	attributes.PutStr("service.instance.id", service+"-1")
	attributes.PutStr("host.name", "shop-node-1")
	s.scope = resource.ScopeMetrics().AppendEmpty()
	s.scope.Scope().SetName("example.com/shop/cmd/collector")
	return s
}

func (s *sheet) gauge(name, unit string, value float64) {
	metric := s.scope.Metrics().AppendEmpty()
	metric.SetName(name)
	metric.SetUnit(unit)
	point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetTimestamp(s.now)
	point.SetDoubleValue(value)
}

// counter starts a cumulative, monotonic sum; point adds its values.
func (s *sheet) counter(name, unit string) pmetric.Sum {
	metric := s.scope.Metrics().AppendEmpty()
	metric.SetName(name)
	metric.SetUnit(unit)
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return sum
}

func (s *sheet) point(sum pmetric.Sum, value float64, attributes ...string) {
	point := sum.DataPoints().AppendEmpty()
	point.SetStartTimestamp(s.start)
	point.SetTimestamp(s.now)
	point.SetDoubleValue(value)
	for i := 0; i+1 < len(attributes); i += 2 {
		point.Attributes().PutStr(attributes[i], attributes[i+1])
	}
}

// scrape asks both servers until ctx ends. A server that does not answer leaves a gap, and a line on stderr.
func (c *collector) scrape(ctx context.Context, redisAddr, databaseURL string, every time.Duration) {
	client := redis.NewClient(&redis.Options{Addr: redisAddr, PoolSize: 1})
	defer client.Close()
	for tick := time.NewTicker(every); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, ask := range []func() (*sheet, error){
			func() (*sheet, error) { return scrapeRedis(ctx, client) },
			func() (*sheet, error) { return scrapePostgreSQL(ctx, databaseURL) },
		} {
			sheet, err := ask()
			if err == nil {
				in := pmetricotlp.NewExportRequestFromMetrics(sheet.metrics)
				err = c.keep("metrics", &in)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "collector:", err)
			}
		}
	}
}

// scrapeRedis reads INFO, under the names of the Collector's redis receiver.
func scrapeRedis(ctx context.Context, client *redis.Client) (*sheet, error) {
	text, err := client.Info(ctx, "everything").Result()
	if err != nil {
		return nil, err
	}
	info := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok {
			info[key] = value
		}
	}
	number := func(key string) float64 {
		value, _ := strconv.ParseFloat(info[key], 64)
		return value
	}
	s := newSheet("redis", time.Duration(number("uptime_in_seconds"))*time.Second)
	s.gauge("redis.clients.connected", "{client}", number("connected_clients"))
	s.gauge("redis.clients.blocked", "{client}", number("blocked_clients"))
	s.gauge("redis.maxmemory", "By", number("maxmemory"))
	s.gauge("redis.memory.used", "By", number("used_memory"))
	s.gauge("redis.commands", "{ops}/s", number("instantaneous_ops_per_sec"))
	s.point(s.counter("redis.commands.processed", "{command}"), number("total_commands_processed"))
	s.point(s.counter("redis.connections.received", "{connection}"), number("total_connections_received"))
	s.point(s.counter("redis.connections.rejected", "{connection}"), number("rejected_connections"))
	cpu := s.counter("redis.cpu.time", "s")
	s.point(cpu, number("used_cpu_user"), "state", "user")
	s.point(cpu, number("used_cpu_sys"), "state", "sys")
	calls, spent := s.counter("redis.cmd.calls", "{call}"), s.counter("redis.cmd.usec", "us")
	for _, command := range []string{"set", "incrby", "blpop", "rpush", "expire"} {
		var n, usec float64
		if fields, ok := info["cmdstat_"+command]; ok {
			fmt.Sscanf(fields, "calls=%f,usec=%f", &n, &usec)
			s.point(calls, n, "cmd", command)
			s.point(spent, usec, "cmd", command)
		}
	}
	return s, nil
}

// scrapePostgreSQL reads pg_stat_database, under the names of the Collector's postgresql receiver.
func scrapePostgreSQL(ctx context.Context, url string) (*sheet, error) {
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer db.Close(ctx)
	var backends, commits, rollbacks, deadlocks, size, up float64
	err = db.QueryRow(ctx, `SELECT numbackends - 1, xact_commit, xact_rollback, deadlocks, pg_database_size(datname),
		extract(epoch FROM now() - pg_postmaster_start_time())::float8
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&backends, &commits, &rollbacks, &deadlocks, &size, &up)
	if err != nil {
		return nil, err
	}
	s := newSheet("postgresql", time.Duration(up*float64(time.Second)))
	s.gauge("postgresql.backends", "1", backends)
	s.gauge("postgresql.db_size", "By", size)
	s.point(s.counter("postgresql.commits", "1"), commits)
	s.point(s.counter("postgresql.rollbacks", "1"), rollbacks)
	s.point(s.counter("postgresql.deadlocks", "{deadlock}"), deadlocks)
	return s, nil
}
