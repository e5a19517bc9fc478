package telemetry

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observeProcess reports this process's CPU time and resident memory under the names of the semantic conventions.
func observeProcess() error {
	meter := otel.Meter("example.com/shop/internal/telemetry")
	cpu, err := meter.Float64ObservableCounter("process.cpu.time", metric.WithUnit("s"),
		metric.WithDescription("CPU time used, by mode"))
	if err != nil {
		return err
	}
	memory, err := meter.Int64ObservableUpDownCounter("process.memory.usage", metric.WithUnit("By"),
		metric.WithDescription("Resident memory"))
	if err != nil {
		return err
	}
	user := metric.WithAttributes(attribute.String("cpu.mode", "user"))
	system := metric.WithAttributes(attribute.String("cpu.mode", "system"))
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return err
		}
		o.ObserveFloat64(cpu, float64(usage.Utime.Nano())/1e9, user)
		o.ObserveFloat64(cpu, float64(usage.Stime.Nano())/1e9, system)
		resident, err := residentBytes()
		if err != nil {
			return err
		}
		o.ObserveInt64(memory, resident)
		return nil
	}, cpu, memory)
	return err
}

func residentBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}
