module corpus.example/lab

go 1.19

require dep.example/gauges v0.0.0

replace dep.example/gauges => ./gauges
