from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport LoadToken
from cachery.backends.in_memory.loads cimport stamped_extra
from cachery.backends.in_memory.store cimport MemoryStore
from cachery.policies.node cimport Node, new_node
from cachery.policies.table cimport INFINITY

cdef class PortableStore(MemoryStore):
    cdef Py_ssize_t arriving
    cdef list refused

    cdef object read_order(self)
    cdef bint weighed(self, Node fresh, object cost)
    cdef bint is_refused(self, object key)
    cdef bint is_overtaken(self, object key, object tags, LoadToken token)
