"""Small profile.proto files made up for tests: heap snapshots of a program whose functions hold what the test says."""
import gzip

RATE = 512 << 10


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def blob(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


class Strings:
    def __init__(self):
        self.all = [""]

    def __call__(self, text):
        if text not in self.all:
            self.all.append(text)
        return self.all.index(text)


def heap(time_s, held, program="/usr/bin/shop", build_id="b1", rate=RATE, default="inuse_space"):
    """One heap profile. held: (stack of function names, innermost first; block size; objects ever; objects in use)."""
    strings, functions, out = Strings(), {}, b""
    for name, unit in (("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")):
        out += blob(1, number(1, strings(name)) + number(2, strings(unit)))
    for stack, size, ever, live in held:
        ids = b""
        for name in stack:
            functions.setdefault(name, len(functions) + 1)
            ids += varint(functions[name])
        label = number(1, strings("bytes")) + number(3, size) + number(4, strings("bytes"))
        values = b"".join(map(varint, (ever, ever * size, live, live * size)))
        out += blob(2, blob(1, ids) + blob(2, values) + blob(3, label))
    out += blob(3, number(1, 1) + number(2, 0x400000) + number(3, 0x800000) + number(5, strings(program)) + number(6, strings(build_id)))
    for name, at in functions.items():
        out += blob(4, number(1, at) + number(2, 1) + number(3, 0x400000 + 16 * at) + blob(4, number(1, at) + number(2, 10 + at)))
        out += blob(5, number(1, at) + number(2, strings(name)) + number(3, strings(name)) + number(4, strings("/src/shop/main.go")))
    out += number(9, int(time_s * 1e9))
    out += blob(11, number(1, strings("space")) + number(2, strings("bytes"))) + number(12, rate)
    out += number(14, strings(default))
    return out + b"".join(blob(6, text.encode()) for text in strings.all)


def leaking(count, start_s=1793750400, step_s=60, first=40, more=40, **options):
    """`count` snapshots, a minute apart, in which main.put keeps `more` more MiB each time and main.handle only churns."""
    for i in range(count):
        kept = first + more * i
        held = [(("main.put", "main.serve", "main.main"), 1 << 20, kept, kept),
                (("main.handle", "main.serve", "main.main"), 4096, 100000 * (i + 1), 2000)]
        yield heap(start_s + step_s * i, held, **options)


def steady(count, **options):
    return leaking(count, first=64, more=0, **options)


def write(folder, profiles, name="heap-{:03}.pb.gz", compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, profile in enumerate(profiles):
        paths.append(folder / name.format(i))
        paths[-1].write_bytes(gzip.compress(profile, mtime=0) if compress else profile)
    return paths
