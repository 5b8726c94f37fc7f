// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heap policy that counts what mmap(2) maps and takes NOPS instructions more
 * for each change of it, to show that the bench sees them.
 */

#include <linux/heap_policy.h>
#include <linux/module.h>
#include <linux/stringify.h>

static unsigned int classify(unsigned int facts)
{
	return (facts & HEAPF_CHANGE) == 0 ? HEAP_COUNTED : HEAP_NONE;
}

static unsigned long charge(unsigned long total, long delta,
			    unsigned long limit)
{
	asm volatile(".rept " __stringify(NOPS) "; nop; .endr");
	return total + delta;
}

static const struct heap_policy_ops policy = {
	.name = KBUILD_MODNAME,
	.classify = classify,
	.charge = charge,
};

static int __init nops_init(void)
{
	return register_heap_policies(&policy, 1, NULL, NULL);
}
module_init(nops_init);

static void __exit nops_exit(void)
{
	unregister_heap_policies(&policy);
}
module_exit(nops_exit);

MODULE_DESCRIPTION("A heap policy of " __stringify(NOPS) " instructions");
MODULE_LICENSE("GPL");
