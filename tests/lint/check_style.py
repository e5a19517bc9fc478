#!/usr/bin/env python3
"""Hold the numbers of the house style: lengths, complexity, parameters, calls, comments, asserts.

usage: check_style.py ROOT [--numbers]     (--numbers prints the measured values and always passes)

Functions are found by a small scanner, not a compiler: it relies on the tree being formatted, that
is on a function's braces standing in the first column. check_style_test.py feeds it examples.
"""
import argparse
import pathlib
import re
import sys

# The one table of limits. Numbers only go down (floors only go up).
LIMITS = {
    "function_lines_max": 100,
    "function_lines_p90": 45,
    "function_lines_median": 15,
    "complexity_max": 25,
    "complexity_p90": 10,
    "parameters_max": 6,
    "file_lines_max": 800,
    "file_lines_median": 300,
}
FLOORS = {
    "comment_percent": 10,
    "asserts_per_1000_lines": 17,
    "public_functions_documented_percent": 100,
}
# Functions that a library calls and whose parameters it prescribes: (file, function). Their other numbers hold.
FOREIGN_SIGNATURES = {
    ("app/serve/http/http_conn.c", "on_request"),  # MHD_AccessHandlerCallback
    ("app/serve/grpc/grpc_session.c", "on_header"),  # nghttp2_on_header_callback
    ("app/serve/grpc/grpc_session.c", "read_answer"),  # nghttp2_data_source_read_callback
}
# Calls that nobody makes, with what to use. Then those that only some folders make.
BANNED = {
    "strcpy": "fl_buf or memcpy", "strcat": "fl_buf", "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "gets": "fl_stream", "strncpy": "memcpy with the length", "strncat": "fl_buf", "strtok": "fl_slice",
    "atoi": "fl_parse_i64", "atol": "fl_parse_i64", "atoll": "fl_parse_i64", "atof": "fl_parse_double",
    "system": "nothing: no other program is started", "popen": "nothing: no other program is started",
    "alloca": "fl_arena", "setlocale": "nothing: numbers are read and written in the C locale",
}
ALLOCATORS = ("malloc", "calloc", "realloc", "free", "strdup", "strndup", "asprintf", "getline", "posix_memalign")
ALLOCATOR_FILES = {"base/mem.c"}
PROGRAM_CALLS = ("exit", "_exit", "abort", "printf", "puts", "putchar", "vprintf", "perror", "getenv", "setenv")
PROGRAM_STREAMS = ("stdout", "stderr", "stdin")
PROGRAM_FOLDERS = ("app/cli/",)
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

BRANCH = re.compile(r"\b(?:if|for|while|case)\b|&&|\|\||\?")
ASSERT = re.compile(r"\b(?:assert|static_assert|_Static_assert|\w+_ASSERT)\s*\(")
LITERAL_OR_COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_of(text):
    """`text` with comments blanked and literals emptied; lines stay where they are."""
    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return "\n" * found.count("\n") or " "
        return found[0] * 2
    return LITERAL_OR_COMMENT.sub(blank, text)


def parameter_count(parameters):
    """Commas at the outermost level, so that a callback's own parameters do not count."""
    if parameters.strip() in ("", "void"):
        return 0
    depth, count = 0, 1
    for char in parameters:
        depth += char in "([{"
        depth -= char in ")]}"
        count += char == "," and depth == 0
    return count


def functions_of(code):
    """Yield (name, first line, lines, complexity, parameters) of each function that `code` defines."""
    lines = code.split("\n")
    for opening, line in enumerate(lines):
        if not line.startswith("{"):
            continue
        closing = next((i for i in range(opening + 1, len(lines)) if lines[i].startswith("}")), None)
        first = opening
        while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith(("}", "#")) \
                and not lines[first - 1].rstrip().endswith(";"):
            first -= 1
        head = " ".join(lines[first:opening])
        named = re.search(r"([A-Za-z_]\w*)\s*\((.*)\)[^()]*$", head)
        if closing is None or named is None or "=" in head:
            continue
        # The first "name(" that closes at the very end: attributes stand before it.
        body = "\n".join(lines[opening:closing + 1])
        yield (re.search(r"([A-Za-z_]\w*)\s*\(", head).group(1), first + 1, closing - first + 1,
               1 + len(BRANCH.findall(body)), parameter_count(named.group(2)))


DECLARATION = re.compile(r"^(?!static|typedef|struct \w+ \{|enum|#|extern|\s|/?\*|})[A-Za-z_].*?\b(\w+)\(")


def undocumented_of(text):
    """Functions that `text`, a public header, declares without a comment right before or beside them."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        named = DECLARATION.match(line)
        if named is None or named.group(1) == "__attribute__":
            continue
        before = next((lines[i].strip() for i in range(number - 1, -1, -1) if lines[i].strip()), "")
        beside = next((lines[i] for i in range(number, len(lines)) if ";" in lines[i]), "")
        yield named.group(1), number + 1, before.endswith("*/") or "/*" in beside


def quantile(values, q):
    ordered = sorted(values)
    return ordered[int(q * (len(ordered) - 1) + 0.5)] if ordered else 0


def call_problems(where, code):
    for name, instead in BANNED.items():
        for found in re.finditer(rf"(?<![\w.>])(?:{name})\s*\(", code):
            yield f"{where}:{line_at(code, found)}: {name}() is banned; use {instead}"
    if where not in ALLOCATOR_FILES:
        for found in re.finditer(rf"(?<![\w.>])({'|'.join(ALLOCATORS)})\s*\(", code):
            yield f"{where}:{line_at(code, found)}: {found.group(1)}() outside base/mem.c"
    if not where.startswith(PROGRAM_FOLDERS):
        for found in re.finditer(rf"(?<![\w.>])({'|'.join(PROGRAM_CALLS)})\s*\(|\b({'|'.join(PROGRAM_STREAMS)})\b", code):
            yield f"{where}:{line_at(code, found)}: {found.group(1) or found.group(2)} outside app/cli/"


def line_at(text, match):
    return text.count("\n", 0, match.start()) + 1


def check(root):
    """The problems, and every measured number."""
    def files(*suffixes):
        return [p for p in sorted(root.rglob("*")) if p.suffix in suffixes and p.is_file()
                and not {"build", ".git"} & set(p.relative_to(root).parts)]
    problems, functions, file_lines, headers = [], [], [], {}
    raw_lines = code_lines = asserts = 0
    documented = []
    for path in files(".c", ".h"):
        where = path.relative_to(root).as_posix()
        text = path.read_text()
        code = code_of(text)
        lines = text.count("\n")
        problems += [f"{where}:{line_at(text, w)}: {w.group(1)}" for w in WORDS.finditer(text)]
        if lines > LIMITS["file_lines_max"]:
            problems.append(f"{where}: {lines} lines, limit {LIMITS['file_lines_max']}")
        if where.startswith(("tests/", "examples/")):
            continue
        problems += call_problems(where, code)
        if path.suffix == ".h":
            if path.name in headers:
                problems.append(f"{where}: header name also used by {headers[path.name]}")
            headers[path.name] = where
            if where.startswith("include/"):
                for name, number, is_documented in undocumented_of(text):
                    documented.append(is_documented)
                    if not is_documented:
                        problems.append(f"{where}:{number}: {name} has no comment")
            continue
        file_lines.append(lines)
        raw_lines += sum(1 for line in text.split("\n") if line.strip())
        code_lines += sum(1 for line in code.split("\n") if line.strip())
        asserts += len(ASSERT.findall(code))
        for name, number, length, complexity, parameters in functions_of(code):
            if (str(where), name) in FOREIGN_SIGNATURES:
                parameters = 0
            functions.append((length, complexity, parameters))
            for what, value in (("function_lines", length), ("complexity", complexity), ("parameters", parameters)):
                if value > LIMITS[what + "_max"]:
                    problems.append(f"{where}:{number}: {name}: {what} {value}, limit {LIMITS[what + '_max']}")
    lengths, complexities, counts = zip(*functions) if functions else ((), (), ())
    numbers = {
        "function_lines_max": max(lengths, default=0),
        "function_lines_p90": quantile(lengths, 0.9),
        "function_lines_median": quantile(lengths, 0.5),
        "complexity_max": max(complexities, default=0),
        "complexity_p90": quantile(complexities, 0.9),
        "parameters_max": max(counts, default=0),
        "file_lines_max": max(file_lines, default=0),
        "file_lines_median": quantile(file_lines, 0.5),
        "comment_percent": round(100 * (raw_lines - code_lines) / max(raw_lines, 1)),
        "asserts_per_1000_lines": round(1000 * asserts / max(code_lines, 1), 1),
        "public_functions_documented_percent": round(100 * sum(documented) / max(len(documented), 1)),
    }
    for name, value in numbers.items():
        if name in LIMITS and not name.endswith("_max") and value > LIMITS[name]:
            problems.append(f"whole tree: {name} {value}, limit {LIMITS[name]}")
        if name in FLOORS and value < FLOORS[name]:
            problems.append(f"whole tree: {name} {value}, at least {FLOORS[name]}")
    return problems, numbers, len(functions), len(file_lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--numbers", action="store_true")
    arguments = parser.parse_args()
    problems, numbers, functions, files = check(arguments.root.resolve())
    if arguments.numbers:
        for name, value in numbers.items():
            limit = f"at most {LIMITS[name]}" if name in LIMITS else f"at least {FLOORS[name]}"
            print(f"{name:38} {value:>7}  {limit}")
        return 0
    print("\n".join(problems) or f"{functions} functions in {files} files, all within the limits")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
