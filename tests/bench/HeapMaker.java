// HeapMaker.java - fills a heap with maps, lists, chains and strings and writes its dump.
//
//   javac -d DIR HeapMaker.java && java -Xmx3g -cp DIR HeapMaker FILE [MILLIONS]
//
// MILLIONS of objects that live, 25 by default: a dump of some 1.2 GB. A quarter of them each in hash maps of
// strings, linked lists, chains of nodes of its own class, and strings in arrays. The same arguments give the
// same objects.
import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;

public final class HeapMaker {
    static final class Link {
        final Link next;
        final Object what;
        final long number;

        Link(Link next, Object what, long number) {
            this.next = next;
            this.what = what;
            this.number = number;
        }
    }

    static final Map<String, Object> MAPS = new HashMap<>();
    static final List<Object> LISTS = new ArrayList<>();
    static final List<Link> CHAINS = new ArrayList<>();
    static final List<String[]> STRINGS = new ArrayList<>();

    // Four objects an entry: node, key, the key's bytes, value.
    static void maps(long objects) {
        for (long made = 0; made < objects; made += 4000) {
            Map<String, Long> map = new HashMap<>();
            for (int i = 0; i < 1000; i++)
                map.put("key-" + made + "-" + i, 1000 + made + i);
            MAPS.put("map-" + made, map);
        }
    }

    // Two objects an element: node, value.
    static void lists(long objects) {
        for (long made = 0; made < objects; made += 20000) {
            List<Long> list = new LinkedList<>();
            for (int i = 0; i < 10000; i++)
                list.add(1000 + made + i);
            LISTS.add(list);
        }
    }

    // One object an element, up to a million in one chain.
    static void chains(long objects) {
        for (long made = 0; made < objects; made += 1000000) {
            Link head = null;
            for (int i = 0; i < 1000000; i++)
                head = new Link(head, CHAINS, made + i);
            CHAINS.add(head);
        }
    }

    // Two objects a string.
    static void strings(long objects) {
        for (long made = 0; made < objects; made += 2000) {
            String[] row = new String[1000];
            for (int i = 0; i < row.length; i++)
                row[i] = "string " + (made + i);
            STRINGS.add(row);
        }
    }

    public static void main(String[] arguments) throws Exception {
        long objects = (arguments.length > 1 ? Long.parseLong(arguments[1]) : 25) * 1000000L;
        maps(objects / 4);
        lists(objects / 4);
        chains(objects / 4);
        strings(objects / 4);
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(arguments[0], true);
    }
}
