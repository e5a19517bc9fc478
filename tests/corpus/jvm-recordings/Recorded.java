import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A program with something of everything that a recording tells: a map that only grows (or, with "healthy", a cache
 * that evicts), work, exceptions, a contended monitor.
 *
 * usage: Recorded leak|list|healthy ROUNDS
 */
public final class Recorded {
    static final class Session {
        final byte[] state = new byte[16 << 10];
        final String user;

        Session(String user) {
            this.user = user;
        }
    }

    static final Map<String, Session> OPEN = new ConcurrentHashMap<>();
    static final Map<String, Session> CACHE = new LinkedHashMap<String, Session>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Session> eldest) {
            return size() > 500;
        }
    };
    static final Recorded ONE = new Recorded();
    final List<byte[]> history = new ArrayList<>();
    static volatile long sink;
    static final Object LOCK = new Object();

    static void login(int round) {
        OPEN.put("user-" + round, new Session("user-" + round));
    }

    static void cached(int round) {
        CACHE.put("user-" + round, new Session("user-" + round));
    }

    void remember() {
        history.add(new byte[16 << 10]);
    }

    static void parse(int round) {
        try {
            Integer.parseInt("x" + round);
        } catch (NumberFormatException e) {
            sink += e.getMessage().length();
        }
    }

    static void hash() {
        long h = 1;
        for (int i = 0; i < 300_000; i++)
            h = h * 31 + i;
        sink += h;
    }

    static void churn(int round) {
        byte[] b = new byte[32 << 10];
        b[0] = (byte) round;
        sink += b[0];
    }

    static void hold() throws InterruptedException {
        synchronized (LOCK) {
            Thread.sleep(25);
        }
    }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[1]);
        Thread other = new Thread(() -> {
            try {
                for (int i = 0; i < 20; i++)
                    hold();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "holder");
        other.start();
        for (int i = 0; i < rounds; i++) {
            if (args[0].equals("leak"))
                login(i);
            else if (args[0].equals("list"))
                ONE.remember();
            else
                cached(i);
            churn(i);
            hash();
            if (i % 50 == 0)
                parse(i);
            if (i % 1000 == 0 && i < 5000)
                hold();
        }
        other.join();
    }
}
