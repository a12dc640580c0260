from cachery.backends.in_memory.cells cimport EXPIRED, KEPT, OUTDATED, check_kind
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fences, LoadToken
from cachery.backends.in_memory.loads cimport Loads
from cachery.policies.node cimport Node, new_node
from cachery.policies.table cimport INFINITY

cdef class MemoryStore(Loads):
    cdef object snapshot(self)
    cdef object missed(self, object key, object default)
    cdef double next_look(self, Node node)
    cdef bint remove(self, object key)
    cdef object empty(self)
    cdef forget_tags(self)
