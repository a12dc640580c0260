from cachery.backends.in_memory.cells cimport EXPIRED, KEPT, OUTDATED
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fences, LoadToken
from cachery.backends.in_memory.loads cimport Loads
from cachery.policies.node cimport Node, new_node
from cachery.policies.table cimport INFINITY

# cachery.model.values.is_used_up, in three comparisons of pointers.
cdef extern from *:
    """
    #define cachery_is_used_up(value) \
        (PyCoro_CheckExact(value) || PyGen_CheckExact(value) || PyAsyncGen_CheckExact(value))
    """
    bint is_used_up "cachery_is_used_up"(object value) noexcept

cdef class MemoryStore(Loads):
    cdef object all_nodes(self)
    cdef object missed(self, object key, object default)
    cdef double next_look(self, Node node)
    cdef bint remove(self, object key)
    cdef object empty(self)
    cdef forget_tags(self)
