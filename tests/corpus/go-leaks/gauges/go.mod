module dep.example/gauges

go 1.19
