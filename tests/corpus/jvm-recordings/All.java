/*
 * All.java - a program that does a little of all that a recording tells: it keeps, throws, waits and collects. The fixture
 * 25-mixed.jfr.zst is it, "All 2500" with small.jfc and the event jdk.ThreadSleep, of JDK 25.
 */
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

public class All {
    static final Map<Integer, Object> OPEN = new ConcurrentHashMap<>();
    static final List<byte[]> KEEP = new ArrayList<>();
    static final Object LOCK = new Object();
    static volatile Object sink;

    static final class Session {
        final byte[] state = new byte[2000];
        final String name;

        Session(String name) {
            this.name = name;
        }
    }

    static int work(int rounds) {
        int sum = 0;
        for (int i = 0; i < rounds; i++)
            sum += Integer.toString(i).hashCode();
        return sum;
    }

    static void fail(int round) {
        try {
            if (round % 2 == 0)
                throw new IllegalStateException("x" + round);
            throw new OutOfMemoryError("made up");
        } catch (IllegalStateException | OutOfMemoryError e) {
            sink = e;
        }
    }

    static void contend() {
        synchronized (LOCK) {
            try {
                Thread.sleep(25);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    public static void main(String[] words) throws Exception {
        long end = System.currentTimeMillis() + Long.parseLong(words[0]);
        Thread[] threads = new Thread[3];
        for (int k = 0; k < threads.length; k++) {
            threads[k] = new Thread(() -> {
                while (System.currentTimeMillis() < end)
                    contend();
            }, "worker-\u00fcn\u00ef-" + k);
            threads[k].start();
        }
        for (int i = 0; System.currentTimeMillis() < end; i++) {
            OPEN.put(i, new Session("s" + i));
            KEEP.add(new byte[100]);
            sink = new int[5000];
            work(2000);
            if (i % 50 == 0)
                fail(i / 50);
            if (i % 400 == 0)
                System.gc();
            Thread.sleep(1);
        }
        for (Thread thread : threads)
            thread.join();
    }
}
