/*
 * What the VM has at which guest-physical address: regions of RAM and devices, and the windows of those that the hypervisor
 * emulates.
 */
#include "regions.h"

#include "leave.h"

/* The first: a device's window lies behind the device's own pages, and is what remains of it. */
struct region *region_find(struct core *core, uint64_t ipa) {
    for (unsigned i = 0; i < core->region_count; i++)
        if (ipa - core->regions[i].ipa < core->regions[i].size) return &core->regions[i];
    return NULL;
}

/* The library asks for every access that misses the TLB, and walks its memory map for the answer. */
EXPORT void *ARCH(find_memory_mapping)(void *uc, uint64_t ipa) {
    struct region *region = running ? region_find(running, ipa) : NULL;
    if (!region) return unicorn.find_memory(uc, ipa);
    if (!region->memory_region) region->memory_region = unicorn.find_memory(uc, ipa);
    return region->memory_region;
}

uint64_t region_page(struct region *region, uint64_t ipa) {
    return (region->ram_offset + (ipa - region->ipa)) / PAGE_SIZE;
}

bool region_emulated(struct core *core, uint64_t ipa) {
    for (unsigned i = 0; i < core->window_count; i++)
        if (ipa - core->windows[i].base < core->windows[i].size) return true;
    return false;
}

struct region *region_new(struct core *core, uint64_t ipa, uint64_t size) {
    if ((ipa | size) & ~PAGE_MASK || !size) {
        python_error(PyExc_ValueError, "region 0x%llx, 0x%llx bytes: not of whole pages", (unsigned long long)ipa,
                     (unsigned long long)size);
        return NULL;
    }
    struct region *regions = PyMem_Realloc(core->regions, (core->region_count + 1) * sizeof(*regions));
    if (!regions) {
        PyErr_NoMemory();
        return NULL;
    }
    core->regions = regions;
    struct region *region = &regions[core->region_count];
    *region = (struct region){.ipa = ipa, .size = size};
    return region;
}
