// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heap policy that counts nothing and takes NOPS instructions more for each
 * new mapping, to show that the bench sees them.
 */

#include <linux/heap_policy.h>
#include <linux/module.h>
#include <linux/stringify.h>

static unsigned long classify(const struct file *file, unsigned long addr,
			      unsigned long prot, unsigned long flags)
{
	asm volatile(".rept " __stringify(NOPS) "; nop; .endr");
	return 0;
}

static bool exempt_over_files(unsigned long flags)
{
	return false;
}

static bool classify_mprotect(unsigned long oldflags, unsigned long newflags)
{
	return false;
}

static enum heap_verdict may_expand(unsigned long total, unsigned long npages,
				    unsigned long limit)
{
	return HEAP_GROW;
}

static unsigned long account(unsigned long total, long npages)
{
	return total + npages;
}

static const struct heap_policy_ops policy = {
	.name = KBUILD_MODNAME,
	.classify = classify,
	.exempt_over_files = exempt_over_files,
	.classify_mprotect = classify_mprotect,
	.may_expand = { may_expand, may_expand },
	.account = account,
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
