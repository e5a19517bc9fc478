import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that brings its heap into one state and dumps it: what the views of `faultline heap` are about, one each, and
 * a healthy neighbour of it.
 *
 * usage: HeapLab SITUATION FILE
 */
public final class HeapLab {
    /** What a plug-in would be: one class that is loaded again with each deployment. */
    public static final class Plugin implements Runnable {
        static final byte[] CACHE = new byte[200_000];

        @Override
        public void run() {
            CACHE[0]++;
        }
    }

    public static final class OtherPlugin implements Runnable {
        static final byte[] CACHE = new byte[100_000];

        @Override
        public void run() {
            CACHE[0]++;
        }
    }

    static final class Slow {
        final byte[] payload = new byte[2000];

        @Override
        @SuppressWarnings({"deprecation", "removal"})
        protected void finalize() throws InterruptedException {
            Thread.sleep(600_000);
        }
    }

    static final class Dropped {
        final byte[] payload = new byte[1000];
    }

    static final class Request {
        final byte[] body = new byte[300_000];
    }

    static final class Context {
        static final ThreadLocal<byte[]> BUFFER = new ThreadLocal<>();
    }

    static final List<Runnable> LISTENERS = new ArrayList<>();
    static final List<Object> KEPT = new ArrayList<>();
    static final CountDownLatch READY = new CountDownLatch(4);
    static Runnable current;

    static Runnable deploy(Class<?> what, boolean isClosed) throws Exception {
        URL here = HeapLab.class.getProtectionDomain().getCodeSource().getLocation();
        URLClassLoader loader = new URLClassLoader("plugins", new URL[] {here}, ClassLoader.getPlatformClassLoader());
        Runnable made = (Runnable) loader.loadClass(what.getName()).getDeclaredConstructor().newInstance();
        made.run();
        if (isClosed)
            loader.close();
        return made;
    }

    /** Deployed three times; the first two are over, but their listeners were never taken away. */
    static void redeploy() throws Exception {
        LISTENERS.add(deploy(Plugin.class, true));
        LISTENERS.add(deploy(Plugin.class, true));
        current = deploy(Plugin.class, false);
    }

    /** Two plug-ins, each loaded once by a loader of one class. */
    static void plugins() throws Exception {
        LISTENERS.add(deploy(Plugin.class, false));
        LISTENERS.add(deploy(OtherPlugin.class, false));
    }

    static void finalizers() throws InterruptedException {
        for (int i = 0; i < 1000; i++)
            KEPT.add(new Slow());
        List<Object> dying = new ArrayList<>();
        for (int i = 0; i < 2000; i++)
            dying.add(new Slow());
        dying = null;
        for (int i = 0; i < 20; i++) {
            System.gc();
            Thread.sleep(50);
        }
    }

    static void worker(int number) {
        byte[] held = new byte[number * 100_000];
        Context.BUFFER.set(new byte[50_000]);
        READY.countDown();
        LockSupport.park();
        held[0]++;
    }

    static void threads() throws InterruptedException {
        for (int i = 1; i <= 4; i++) {
            int number = i;
            Thread thread = new Thread(() -> worker(number), "worker-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        READY.await();
        Thread.sleep(100);
    }

    static void wait(Request request) {
        READY.countDown();
        LockSupport.park();
        request.body[0]++;
    }

    /** By reflection, so that Java 17 compiles it. */
    static void virtual() throws Exception {
        Method start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        for (int i = 0; i < 20; i++) {
            Request request = new Request();
            KEPT.add(start.invoke(null, (Runnable) () -> wait(request)));
        }
        READY.await();
        Thread.sleep(300);
    }

    static void garbage() {
        for (int i = 0; i < 3000; i++)
            new Dropped().payload[0]++;
        for (int i = 0; i < 100; i++)
            KEPT.add(new Dropped());
    }

    public static void main(String[] args) throws Exception {
        boolean isLive = true;
        switch (args[0]) {
        case "redeploy": redeploy(); break;
        case "plugins": plugins(); break;
        case "finalizers": finalizers(); break;
        case "threads": threads(); break;
        case "virtual": virtual(); break;
        case "garbage": garbage(); isLive = false; break;
        case "idle": break;
        default: throw new IllegalArgumentException(args[0]);
        }
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(args[1], isLive);
        Runtime.getRuntime().halt(0); // a finalizer that sleeps must not keep the program
    }
}
