from cachery.backends.in_memory.cells cimport EXPIRED, KEPT, OUTDATED
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fences, LoadToken
from cachery.backends.in_memory.writes cimport Writes
from cachery.policies.node cimport Node, new_node
from cachery.policies.table cimport INFINITY, MOST_EXPIRED

cdef class MemoryStore(Writes):
    cdef object all_nodes(self)
    cdef object missed(self, object key, object default)
    cdef object empty(self)
    cdef forget_tags(self)
