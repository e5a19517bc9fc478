import java.util.ArrayList;
import java.util.List;

/**
 * A recording with millions of events that have stacks: every allocation is one, since the program runs without
 * allocation buffers (-XX:-UseTLAB), from some hundred different stacks; exceptions and collections besides.
 *
 * usage: Stress MILLIONS
 */
public final class Stress {
    static volatile Object sink;
    static long seed = 1;

    static int next(int below) {
        seed = seed * 6364136223846793005L + 1442695040888963407L;
        return (int) ((seed >>> 33) % below);
    }

    static void leaf(int kind) {
        switch (kind) {
            case 0 -> sink = new byte[next(256)];
            case 1 -> sink = new int[next(64)];
            case 2 -> sink = new Object();
            case 3 -> sink = new long[4];
            case 4 -> sink = new ArrayList<String>();
            case 5 -> sink = new StringBuilder();
            case 6 -> sink = new char[next(128)];
            default -> sink = new String[next(8)];
        }
    }

    static void left(int depth, int kind) {
        if (depth == 0)
            leaf(kind);
        else if ((kind & 1) == 0)
            left(depth - 1, kind >> 1);
        else
            right(depth - 1, kind >> 1);
    }

    static void right(int depth, int kind) {
        if (depth == 0)
            leaf(kind);
        else if ((kind & 1) == 0)
            left(depth - 1, kind >> 1);
        else
            right(depth - 1, kind >> 1);
    }

    public static void main(String[] args) {
        long rounds = Long.parseLong(args[0]) * 1_000_000;
        List<byte[]> kept = new ArrayList<>();
        for (long i = 0; i < rounds; i++) {
            left(5 + next(4), next(1 << 11));
            if (i % 5000 == 0)
                kept.add(new byte[512]);
            if (i % 1000 == 0)
                try {
                    Integer.parseInt("x");
                } catch (NumberFormatException e) {
                    sink = null;
                }
        }
        System.out.println(kept.size());
    }
}
