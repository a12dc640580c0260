# The C side of node.py. A Node owns its key and value; places in a ring are plain C pointers that own nothing, so
# moving a node touches no reference count, and a dropped cache leaves no cycle behind.

cdef extern from *:
    ctypedef struct NodeFields "struct CacheryNode":
        double expires
        unsigned int hits
        int place
        NodeFields* prev
        NodeFields* next
        long long timer
        unsigned int weight
        float worth

ctypedef NodeFields* NodeRef

cdef public class Node [object CacheryNode, type CacheryNodeType]:
    cdef public object key
    cdef public object value
    cdef public object extra
    cdef public object group
    cdef public double expires
    cdef public unsigned int hits
    cdef public int place
    cdef NodeFields* prev
    cdef NodeFields* next
    cdef public long long timer
    cdef public unsigned int weight
    cdef public float worth

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define cachery_is_held_by_map_alone(node) 0
    #else
    #define cachery_is_held_by_map_alone(node) (Py_REFCNT(node) == 2)
    #endif
    """
    bint is_held_by_map_alone "cachery_is_held_by_map_alone"(Node node) noexcept

cdef void renew_node(Node node, object key, object value, double expires) noexcept
cdef Node new_node(object key, object value, double expires)
cdef Node new_ring()
cdef void link_first(NodeRef head, Node node) noexcept
cdef void unlink(Node node) noexcept
cdef Node last_of(NodeRef head)
cdef object ring_from_last(NodeRef head)
