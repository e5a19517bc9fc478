import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.ref.SoftReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.management.ObjectName;

/**
 * Programs with one known leak each, and a healthy twin of each: java HeapLeaks.java NAME DUMPS FOLDER. After each stage of 1,000 steps a
 * heap dump of what lives (FOLDER/heap-N.hprof) and a class histogram (FOLDER/histo-N.txt) are written.
 */
public final class HeapLeaks {
    static final int STEPS = 1000;

    /** One unit of work of a program; `done` counts all that came before it. */
    interface Program {
        void step(int done) throws Exception;
    }

    static final class Session {
        final String id;
        final byte[] body;

        Session(int id, int bytes) {
            this.id = "session-" + id;
            this.body = new byte[bytes];
        }
    }

    // --- a static map that only grows; its twin throws the eldest out
    static final class Sessions {
        static final Map<String, Session> OPEN = new HashMap<>();
        static final Map<String, Session> RECENT = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Session> eldest) {
                return size() > 500;
            }
        };
    }

    static void staticMap(int i) {
        Session s = new Session(i, 1000);
        Sessions.OPEN.put(s.id, s);
    }

    static void staticMapTwin(int i) {
        Session s = new Session(i, 1000);
        Sessions.RECENT.put(s.id, s);
    }

    // --- values of a ThreadLocal in threads of a pool; the twin has one buffer a thread
    static final class Context {
        static final ThreadLocal<Map<Integer, byte[]>> VALUES = ThreadLocal.withInitial(HashMap::new);
        static final ThreadLocal<byte[]> BUFFER = ThreadLocal.withInitial(() -> new byte[100_000]);
        static final ExecutorService POOL = pool(8);
    }

    static ThreadPoolExecutor pool(int threads) {
        return new ThreadPoolExecutor(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), r -> {
            Thread t = new Thread(r);
            t.setDaemon(true);
            return t;
        });
    }

    static void threadLocal(int i) throws Exception {
        Context.POOL.submit(() -> Context.VALUES.get().put(i, new byte[1000])).get();
    }

    static void threadLocalTwin(int i) throws Exception {
        Context.POOL.submit(() -> Context.BUFFER.get()[i % 100] = 1).get();
    }

    // --- computeIfAbsent keeps lambdas that capture the request; the twin's keys are few
    static final class Lazy {
        static final Map<Integer, Supplier<Integer>> CACHE = new ConcurrentHashMap<>();
    }

    static void computeIfAbsent(int i) {
        Session request = new Session(i, 1000);
        Lazy.CACHE.computeIfAbsent(i, k -> () -> request.body.length);
    }

    static void computeIfAbsentTwin(int i) {
        computeIfAbsent(i % 500);
    }

    // --- listeners that nobody removes; the twin removes its own
    interface Listener {
        void changed(String what);
    }

    static final class Bus {
        static final Bus BUS = new Bus();
        private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    }

    static final class Window implements Listener {
        final byte[] pixels = new byte[1000];

        @Override
        public void changed(String what) {
            pixels[0]++;
        }
    }

    static void listeners(int i) {
        Bus.BUS.listeners.add(new Window());
    }

    static void listenersTwin(int i) {
        Bus.BUS.listeners.add(new Window());
        if (Bus.BUS.listeners.size() > 500) {
            Bus.BUS.listeners.remove(0);
        }
    }

    // --- keys without equals and hashCode: each look-up misses and adds; the twin's key is a proper one
    static final class Point {
        final int x, y;

        Point(int x, int y) {
            this.x = x;
            this.y = y;
        }
    }

    static final class ProperPoint {
        final int x, y;

        ProperPoint(int x, int y) {
            this.x = x;
            this.y = y;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof ProperPoint p && p.x == x && p.y == y;
        }

        @Override
        public int hashCode() {
            return Objects.hash(x, y);
        }
    }

    static final class Grid {
        static final Map<Object, byte[]> CELLS = new HashMap<>();
    }

    static void keys(int i) {
        Grid.CELLS.computeIfAbsent(new Point(i % 20, i % 30), k -> new byte[1000]);
    }

    static void keysTwin(int i) {
        Grid.CELLS.computeIfAbsent(new ProperPoint(i % 20, i % 30), k -> new byte[1000]);
    }

    // --- keys that change after they were put: each order is added again; the twin's state is no part of equality
    static final class Order {
        final int id;
        final boolean stateCounts;
        int state;

        Order(int id, boolean stateCounts) {
            this.id = id;
            this.stateCounts = stateCounts;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Order p && p.id == id && (!stateCounts || p.state == state);
        }

        @Override
        public int hashCode() {
            return stateCounts ? 31 * id + state : id;
        }
    }

    static final class Orders {
        static final Map<Order, byte[]> ACTIVE = new HashMap<>();
        static final List<Order> MUTABLE = orders(true), FIXED = orders(false);

        static List<Order> orders(boolean stateCounts) {
            List<Order> all = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                all.add(new Order(i * 1000, stateCounts));
            }
            return all;
        }
    }

    static void mutableKeys(int i) {
        Order o = Orders.MUTABLE.get(i % 500);
        o.state++;
        Orders.ACTIVE.put(o, new byte[1000]);
    }

    static void mutableKeysTwin(int i) {
        Order o = Orders.FIXED.get(i % 500);
        o.state++;
        Orders.ACTIVE.put(o, new byte[1000]);
    }

    // --- lost keys: changed once and never put again, only looked for in vain when they are to be removed
    static final class Jobs {
        static final Set<Order> RUNNING = new HashSet<>();
    }

    static void lostKeys(int i) {
        Order o = new Order(i, true);
        Jobs.RUNNING.add(o);
        o.state = 7;
        Jobs.RUNNING.remove(o);
    }

    static void lostKeysTwin(int i) {
        Order o = new Order(i, false);
        Jobs.RUNNING.add(o);
        o.state = 7;
        if (i > 500) {
            Jobs.RUNNING.remove(o);
        }
    }

    // --- left behind: a key changes while it is in the map, so that it is looked for in vain when its work is done; the twin takes
    // it out first and puts it back
    static final class Visit {
        final String room;
        final long number;
        int state;

        Visit(String room, long number) {
            this.room = room;
            this.number = number;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Visit v && v.room.equals(room) && v.number == number && v.state == state;
        }

        @Override
        public int hashCode() {
            return Objects.hash(room, number, state);
        }
    }

    static final class Visits {
        static final Map<Visit, byte[]> OPEN = new ConcurrentHashMap<>();
        static final Map<Visit, byte[]> KEPT = new HashMap<>();
        static final ArrayDeque<Visit> WAITING = new ArrayDeque<>();
    }

    static void leftBehind(int i) {
        Visit v = new Visit("room " + i % 7, i);
        Visits.OPEN.put(v, new byte[500]);
        Visits.WAITING.add(v);
        if (Visits.WAITING.size() > 40) {
            Visit done = Visits.WAITING.poll();
            done.state = 3;
            Visits.OPEN.remove(done);
        }
    }

    static void leftBehindTwin(int i) {
        Visit v = new Visit("room " + i % 7, i);
        Visits.KEPT.put(v, new byte[500]);
        Visits.WAITING.add(v);
        if (Visits.WAITING.size() > 400) {
            Visit done = Visits.WAITING.poll();
            byte[] body = Visits.KEPT.remove(done);
            done.state = 1 + i % 3;
            Visits.KEPT.put(done, body);
            if (i > 600) {
                Visits.KEPT.keySet().removeIf(k -> k.number == i - 600);
            }
        }
    }

    // --- hashes that are all the same; the twin's are not
    static final class Bad {
        final int id;

        Bad(int id) {
            this.id = id;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Bad b && b.id == id;
        }

        @Override
        public int hashCode() {
            return 42;
        }
    }

    static final class Users {
        static final Map<Object, byte[]> BY_ID = new HashMap<>();
    }

    static void collisions(int i) {
        Users.BY_ID.put(new Bad(i % 400), new byte[1000]);
    }

    static void collisionsTwin(int i) {
        Users.BY_ID.put(new ProperPoint(i % 400, 1), new byte[1000]);
    }

    // --- class loaders that stay; the twin keeps three
    public static final class Plugin {
        static final byte[] DATA = new byte[20_000];
    }

    static final class Plugins {
        static final List<Object> LOADED = new ArrayList<>();
    }

    static Object loadPlugin() throws Exception {
        String name = Plugin.class.getName();
        byte[] code;
        try (InputStream in = HeapLeaks.class.getResourceAsStream("/" + name.replace('.', '/') + ".class")) {
            code = in.readAllBytes();
        }
        ClassLoader loader = new ClassLoader(HeapLeaks.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String wanted, boolean resolve) throws ClassNotFoundException {
                if (!wanted.equals(name)) {
                    return super.loadClass(wanted, resolve);
                }
                Class<?> found = findLoadedClass(wanted);
                return found != null ? found : defineClass(wanted, code, 0, code.length);
            }
        };
        return loader.loadClass(name).getDeclaredConstructor().newInstance();
    }

    static void classLoaders(int i) throws Exception {
        if (i % 20 == 0) {
            Plugins.LOADED.add(loadPlugin());
        }
    }

    static void classLoadersTwin(int i) throws Exception {
        classLoaders(i);
        if (Plugins.LOADED.size() > 3) {
            Plugins.LOADED.remove(0);
        }
    }

    // --- a queue that is filled faster than it is emptied; the twin's keeps up
    static final class Mailer {
        final ThreadPoolExecutor sender = pool(1);
        static final Mailer MAILER = new Mailer();
    }

    static void queue(int i) {
        Session mail = new Session(i, 1000);
        Mailer.MAILER.sender.execute(() -> sleep(mail.body.length));
    }

    static void queueTwin(int i) throws Exception {
        Session mail = new Session(i, 1000);
        Mailer.MAILER.sender.submit(() -> mail.body[0] = 1).get();
    }

    static void sleep(int seconds) {
        try {
            Thread.sleep(seconds * 1000L);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // --- inner classes that hold the report they came from; the twin's rows are static
    static final class Report {
        final byte[] pages = new byte[1000];

        final class Row {
            int at;

            int value() {
                return pages[at];
            }
        }

        Row row() {
            return new Row();
        }
    }

    static final class Rows {
        static final List<Object> SELECTED = new ArrayList<>();
    }

    static void inner(int i) {
        Rows.SELECTED.add(new Report().row());
    }

    static void innerTwin(int i) {
        Rows.SELECTED.add(new Report().row());
        if (Rows.SELECTED.size() > 500) {
            Rows.SELECTED.clear();
        }
        while (Rows.SELECTED.size() < 400) {
            Rows.SELECTED.add(new Report().row());
        }
    }

    // --- threads that never end; the twin's do
    static final class Poller implements Runnable {
        final byte[] state = new byte[4000];
        final int until;

        Poller(int until) {
            this.until = until;
        }

        @Override
        public void run() {
            sleep(until);
        }
    }

    static void threads(int i) throws Exception {
        if (i % 20 == 0) {
            Thread t = new Thread(new Poller(1000), "poller-" + i);
            t.setDaemon(true);
            t.start();
        }
    }

    static void threadsTwin(int i) throws Exception {
        if (i < 500) {
            threads(i);
        } else if (i % 20 == 0) {
            Thread t = new Thread(new Poller(0), "poller-" + i);
            t.start();
            t.join();
        }
    }

    // --- equal texts over and over; the twin keeps one of each
    static final class Table {
        static final List<String> COUNTRIES = new ArrayList<>();
    }

    static void texts(int i) {
        for (int k = 0; k < 10; k++) {
            Table.COUNTRIES.add(new String("a country with a rather long name, number " + i % 20));
        }
    }

    static void textsTwin(int i) {
        if (Table.COUNTRIES.size() < 8000) {
            for (int k = 0; k < 10; k++) {
                Table.COUNTRIES.add(("a country with a rather long name, number " + i % 20).intern());
            }
        }
    }

    // --- no static at all: a server that main() holds; the twin has one large table from the beginning
    static final class Server {
        final List<Session> history = new ArrayList<>();
        final Map<Integer, Session> table = new HashMap<>();
    }

    // --- in two statics at once: none of them alone keeps it
    static final class Index {
        static final Map<String, Session> BY_NAME = new HashMap<>();
        static final List<Session> IN_ORDER = new ArrayList<>();
    }

    static void shared(int i) {
        Session s = new Session(i, 1000);
        Index.BY_NAME.put(s.id, s);
        Index.IN_ORDER.add(s);
    }

    static void sharedTwin(int i) {
        if (i < 500) {
            shared(i);
        }
    }

    // --- more that is healthy
    static final class Caches {
        static final Map<Integer, SoftReference<byte[]>> SOFT = new HashMap<>();
        static final Map<Object, byte[]> WEAK = new WeakHashMap<>();
        static final ArrayDeque<byte[]> DRAINS = new ArrayDeque<>();
        static final Map<Integer, byte[]> WARM = new HashMap<>();
    }

    static Map<String, Program> programs(Server server) {
        Map<String, Program> all = new HashMap<>();
        all.put("static-map", HeapLeaks::staticMap);
        all.put("static-map-twin", HeapLeaks::staticMapTwin);
        all.put("thread-local", HeapLeaks::threadLocal);
        all.put("thread-local-twin", HeapLeaks::threadLocalTwin);
        all.put("compute-if-absent", HeapLeaks::computeIfAbsent);
        all.put("compute-if-absent-twin", HeapLeaks::computeIfAbsentTwin);
        all.put("listeners", HeapLeaks::listeners);
        all.put("listeners-twin", HeapLeaks::listenersTwin);
        all.put("keys", HeapLeaks::keys);
        all.put("keys-twin", HeapLeaks::keysTwin);
        all.put("mutable-keys", HeapLeaks::mutableKeys);
        all.put("mutable-keys-twin", HeapLeaks::mutableKeysTwin);
        all.put("lost-keys", HeapLeaks::lostKeys);
        all.put("lost-keys-twin", HeapLeaks::lostKeysTwin);
        all.put("left-behind", HeapLeaks::leftBehind);
        all.put("left-behind-twin", HeapLeaks::leftBehindTwin);
        all.put("collisions", HeapLeaks::collisions);
        all.put("collisions-twin", HeapLeaks::collisionsTwin);
        all.put("class-loaders", HeapLeaks::classLoaders);
        all.put("class-loaders-twin", HeapLeaks::classLoadersTwin);
        all.put("queue", HeapLeaks::queue);
        all.put("queue-twin", HeapLeaks::queueTwin);
        all.put("inner", HeapLeaks::inner);
        all.put("inner-twin", HeapLeaks::innerTwin);
        all.put("threads", HeapLeaks::threads);
        all.put("threads-twin", HeapLeaks::threadsTwin);
        all.put("texts", HeapLeaks::texts);
        all.put("texts-twin", HeapLeaks::textsTwin);
        all.put("shared", HeapLeaks::shared);
        all.put("shared-twin", HeapLeaks::sharedTwin);
        all.put("field", i -> server.history.add(new Session(i, 1000)));
        all.put("field-twin", i -> server.table.putIfAbsent(i % 1000, new Session(i, 2000)));
        all.put("soft-twin", i -> Caches.SOFT.put(i % 800, new SoftReference<>(new byte[1000])));
        all.put("weak-twin", i -> Caches.WEAK.put(new Object(), new byte[1000]));
        all.put("drains-twin", i -> {
            Caches.DRAINS.add(new byte[1000]);
            if (Caches.DRAINS.size() > 400) {
                Caches.DRAINS.poll();
            }
        });
        all.put("warm-up-twin", i -> Caches.WARM.putIfAbsent(i % 2000, new byte[1000]));
        return all;
    }

    static void record(String folder, int stage) throws Exception {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
            .dumpHeap(folder + "/heap-" + stage + ".hprof", true);
        Object text = ManagementFactory.getPlatformMBeanServer().invoke(
            new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcClassHistogram",
            new Object[] {new String[0]}, new String[] {String[].class.getName()});
        Files.writeString(Path.of(folder, "histo-" + stage + ".txt"), (String) text);
    }

    public static void main(String[] args) throws Exception {
        Server server = new Server();
        Program program = programs(server).get(args[0]);
        int stages = Integer.parseInt(args[1]), done = 0;
        for (int stage = 0; stage < stages; stage++) {
            for (int i = 0; i < STEPS; i++) {
                program.step(done++);
            }
            record(args[2], stage);
            Thread.sleep(20);
        }
        System.exit(server.history.size() < 0 ? 1 : 0);
    }
}
