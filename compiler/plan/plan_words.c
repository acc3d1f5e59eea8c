/* SPDX-License-Identifier: MIT
 *
 * The words of the plan's enums, one spelling for every output that is ours.  libvirt and QEMU have spellings of their
 * own, which stand with their emitters.
 */
#include "plan/plan.h"

const char *memory_policy_word(enum memory_policy policy)
{
    static const char *const words[] = {
        [POLICY_STRICT] = "strict",
        [POLICY_PREFERRED] = "preferred",
        [POLICY_INTERLEAVE] = "interleave",
        [POLICY_RESTRICTIVE] = "restrictive",
    };
    return words[policy];
}

const char *memory_model_word(enum memory_model model)
{
    static const char *const words[MEMORY_MODELS] = {
        [MEMORY_DIMM] = "dimm",       [MEMORY_VIRTIO_MEM] = "virtio-mem",
        [MEMORY_NVDIMM] = "nvdimm",   [MEMORY_VIRTIO_PMEM] = "virtio-pmem",
        [MEMORY_SGX_EPC] = "sgx-epc", [MEMORY_CXL] = "cxl",
    };
    return words[model];
}

const char *associativity_word(enum hmat_associativity associativity)
{
    static const char *const words[] = {
        [ASSOCIATIVITY_NONE] = "none",
        [ASSOCIATIVITY_DIRECT] = "direct",
        [ASSOCIATIVITY_FULL] = "full",
    };
    return words[associativity];
}

const char *write_policy_word(enum hmat_write_policy policy)
{
    static const char *const words[] = {
        [WRITE_POLICY_NONE] = "none",
        [WRITE_POLICY_WRITEBACK] = "writeback",
        [WRITE_POLICY_WRITETHROUGH] = "writethrough",
    };
    return words[policy];
}

const char *hmat_access_word(enum hmat_access access)
{
    static const char *const words[] = { [HMAT_ACCESS] = "access", [HMAT_READ] = "read", [HMAT_WRITE] = "write" };
    return words[access];
}

const char *backing_source_word(enum backing_source source)
{
    static const char *const words[] = {
        [BACKING_ANONYMOUS] = "anonymous",
        [BACKING_FILE] = "file",
        [BACKING_MEMFD] = "memfd",
        [BACKING_SHM] = "shm",
    };
    return words[source];
}

const char *thread_class_word(enum thread_class class)
{
    static const char *const words[] = {
        [THREAD_NORMAL] = "normal", [THREAD_BATCH] = "batch", [THREAD_IDLE] = "idle",
        [THREAD_FIFO] = "fifo",     [THREAD_RR] = "rr",
    };
    return words[class];
}

const char *cache_content_word(enum cache_content content)
{
    static const char *const words[] = { [CACHE_BOTH] = "both", [CACHE_CODE] = "code", [CACHE_DATA] = "data" };
    return words[content];
}

const char *cpu_cache_word(enum cpu_cache cache)
{
    static const char *const words[CPU_CACHES] = {
        [CPU_CACHE_L1D] = "l1d",
        [CPU_CACHE_L1I] = "l1i",
        [CPU_CACHE_L2] = "l2",
        [CPU_CACHE_L3] = "l3",
    };
    return words[cache];
}

const char *shared_level_word(enum shared_level level)
{
    static const char *const words[SHARED_LEVELS] = {
        [SHARED_UNSAID] = "", [SHARED_CORE] = "core",     [SHARED_MODULE] = "module",
        [SHARED_DIE] = "die", [SHARED_SOCKET] = "socket",
    };
    return words[level];
}
