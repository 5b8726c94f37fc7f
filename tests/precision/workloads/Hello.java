// SPDX-License-Identifier: GPL-2.0-only

class Hello {
	public static void main(String[] args) {
		System.out.println("hello");
	}
}
