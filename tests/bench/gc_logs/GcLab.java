// What a garbage collector logs about: one kind of trouble, or none, for some seconds.
//   java -Xlog:gc*:file=gc.log GcLab churn|grow|humongous|explicit|classes|full|crash SECONDS
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public class GcLab {
    static final Map<Integer, byte[]> KEPT = new HashMap<>();
    static final List<ClassLoader> LOADERS = new ArrayList<>();
    static volatile Object sink;

    /** Short-lived blocks, and a ring of some that live a while. */
    static void churn(int count, byte[][] ring) {
        for (int i = 0; i < count; i++) {
            byte[] block = new byte[1024];
            ring[i % ring.length] = block;
            sink = new StringBuilder().append(i).toString();
        }
    }

    public interface Shape {
        int sides();
    }

    /** A class of its own for each call, kept alive by its loader. */
    static void defineClass() {
        ClassLoader loader = new URLClassLoader(new URL[0], GcLab.class.getClassLoader());
        InvocationHandler handler = (proxy, method, args) -> 3;
        sink = Proxy.newProxyInstance(loader, new Class<?>[] {Shape.class}, handler);
        LOADERS.add(loader);
    }

    /** Writes to address 0, by which the virtual machine ends with a report. */
    static void crash() throws Exception {
        Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
        field.setAccessible(true);
        ((sun.misc.Unsafe) field.get(null)).putAddress(0, 42);
    }

    public static void main(String[] args) throws Exception {
        String mode = args[0];
        long end = System.nanoTime() + (long) (Double.parseDouble(args[1]) * 1e9);
        byte[][] ring = new byte[4096][];
        for (int n = 0; System.nanoTime() < end; n++) {
            churn(3000, ring);
            switch (mode) {
                case "grow" -> KEPT.put(n, new byte[40_000]);
                case "humongous" -> sink = new byte[3 << 20];
                case "explicit" -> {
                    if (n % 50 == 0)
                        System.gc();
                }
                case "classes" -> defineClass();
                case "full" -> KEPT.put(n % 1500, new byte[n % 90_000]);
                case "crash" -> {
                    if (n == 300)
                        crash();
                }
                default -> {
                }
            }
            Thread.sleep(2);
        }
    }
}
