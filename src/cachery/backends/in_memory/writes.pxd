from cachery.backends.in_memory.cells cimport EXPIRED, KEPT, OUTDATED
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fences, LoadToken
from cachery.backends.in_memory.loads cimport Loads
from cachery.policies.node cimport Node, new_node
from cachery.policies.table cimport INFINITY, MOST_LOOKS

# cachery.model.values.is_used_up, in three comparisons of pointers.
cdef extern from *:
    """
    #define cachery_is_used_up(value) \
        (PyCoro_CheckExact(value) || PyGen_CheckExact(value) || PyAsyncGen_CheckExact(value))
    """
    bint is_used_up "cachery_is_used_up"(object value) noexcept

cdef class Writes(Loads):
    cdef bint set_new(self, object key, object value, double expires)
    cdef bint set_fully(self, object key, object value, object ttl, object idle_ttl, object cost, Extra extra)
    cdef Node sum_of(self, object key, Node before, object old, object by, object initial, double life)
    cdef bint remove(self, object key)
