// SPDX-License-Identifier: GPL-2.0-only

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.ObjectName;

/** Hold hold|leak MIB: arrays in the heap; needs -XX:NativeMemoryTracking=summary. */
class Hold {
	static final List<byte[]> KEPT = new ArrayList<>();

	static final Pattern MAPPED = Pattern.compile("\\(mmap: reserved=\\d+, committed=(\\d+)");

	/**
	 * What native memory tracking says is committed by mmap; malloc's is to be
	 * added. Stacks are not in it, the archive of classes is a file's.
	 */
	static long truth() throws Exception {
		String report = (String) ManagementFactory.getPlatformMBeanServer().invoke(
			new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmNativeMemory",
			new Object[] {new String[] {"summary", "scale=1"}},
			new String[] {String[].class.getName()});
		long total = 0;
		for (String category : report.split("\n-")) {
			Matcher mapped = MAPPED.matcher(category);
			if (!category.contains("Shared class space") && mapped.find())
				total += Long.parseLong(mapped.group(1));
		}
		return total;
	}

	static void leak(int mib) {
		try {
			for (int i = 1; i <= mib; i++) {
				KEPT.add(new byte[1 << 20]);
				System.out.println("got " + i);
			}
		} catch (OutOfMemoryError e) {
			KEPT.clear();
			System.out.println("caught OutOfMemoryError");
		}
	}

	public static void main(String[] args) throws Exception {
		int mib = Integer.parseInt(args[1]);
		if (args[0].equals("leak")) {
			leak(mib);
			return;
		}
		for (int total = 0; total < mib << 20; ) {
			byte[] block = new byte[1024 << KEPT.size() % 8];
			KEPT.add(block);
			total += block.length;
		}
		// The first report is what loads the classes that the second one counts.
		truth();
		System.out.println("ready " + ProcessHandle.current().pid() + " " + truth());
		Thread.sleep(3600_000);
	}
}
