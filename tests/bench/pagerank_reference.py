#!/usr/bin/env python3
"""Compare the ranks that bench_snapshot wrote with igraph's PRPACK and a solution by scipy.

usage: pagerank_reference.py FOLDER      (after: bench_snapshot NODES EDGES FOLDER)

Needs numpy, scipy and igraph. Nodes that nothing leaves hand their rank to the seeds in all three, which is what igraph
does too when it is given a reset. Prints the largest relative difference over all nodes above 1e-9, and igraph's time.
"""
import pathlib
import sys
import time

import igraph
import numpy
import scipy.sparse
import scipy.sparse.linalg

DAMPING = 0.85
SEEDS = 5


def solved(edges, start):
    """The ranks as the solution of their linear system, by LU's stand-in for large ones: GMRES to 1e-14."""
    nodes = len(start)
    degree = numpy.bincount(edges[:, 0], minlength=nodes)
    weights = DAMPING / degree[edges[:, 0]]
    step = scipy.sparse.csr_matrix((weights, (edges[:, 1], edges[:, 0])), shape=(nodes, nodes))
    # With dangling nodes handed to the start, the ranks are those of the walk without it, scaled to 1.
    ranks = scipy.sparse.linalg.gmres(scipy.sparse.identity(nodes) - step, start, rtol=1e-14, atol=0, restart=50)[0]
    return ranks / ranks.sum()


def difference(a, b):
    large = b > 1e-9
    return numpy.max(numpy.abs(a[large] - b[large]) / b[large])


def main():
    folder = pathlib.Path(sys.argv[1])
    edges = numpy.fromfile(folder / "edges.u32", dtype=numpy.uint32).reshape(-1, 2).astype(numpy.int64)
    ours = numpy.fromfile(folder / "ranks.f64")
    start = numpy.zeros(len(ours))
    for i in range(SEEDS):
        start[(i + 1) * len(ours) // (SEEDS + 2) | 1] += 1 / SEEDS
    print(f"scipy {scipy.__version__}: largest relative difference {difference(ours, solved(edges, start)):.1e}")
    graph = igraph.Graph(n=len(ours), edges=edges, directed=True)
    times = []
    for _ in range(3):
        began = time.monotonic()
        theirs = graph.personalized_pagerank(reset=start, damping=DAMPING, implementation="prpack")
        times.append(time.monotonic() - began)
    print(f"igraph {igraph.__version__}, PRPACK: largest relative difference {difference(ours, numpy.array(theirs)):.1e};"
          f" {min(times) * 1000:.0f} ms, the best of 3")


if __name__ == "__main__":
    main()
