"""What is Armv8's of the hypervisor, as Bao's ``src/arch/armv8``: aborts, the virtual GIC, PSCI, SMCCC."""
