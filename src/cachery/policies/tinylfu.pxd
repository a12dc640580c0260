from cachery.policies.climber cimport Climber
from cachery.policies.ghosts cimport Ghosts
from cachery.policies.node cimport Node, NodeRef, last_of, link_first, new_ring, ring_from_last, unlink
from cachery.policies.order cimport Order
from cachery.policies.sketch cimport Sketch

cdef int _NOWHERE
cdef int _WINDOW
cdef int _PROBATION
cdef int _PROTECTED
cdef int _MOVES_AT_ONCE
cdef int _SEGMENT
cdef int _MOST_USES
cdef int _USES_BITS
cdef int _USES_AT
cdef int _EPOCH_AT
cdef int _EPOCHS
cdef int _WARM
cdef long long _MOST_RECALLED
cdef Py_ssize_t _CHANCE
cdef Py_ssize_t _ENTRIES_A_GHOST
cdef Py_ssize_t _LEAST_GHOSTS
cdef Py_ssize_t _MOST_GHOSTS
cdef Py_ssize_t _TOLERANCE
cdef int _LOOKS
cdef double _SHARE_PROTECTED

cdef class TinyLfuOrder(Order):
    cdef Py_ssize_t capacity
    cdef Node window_ring
    cdef Node probation_ring
    cdef Node protected_ring
    cdef NodeRef window
    cdef NodeRef probation
    cdef NodeRef protected
    cdef Py_ssize_t in_window
    cdef Py_ssize_t in_probation
    cdef Py_ssize_t in_protected
    cdef Py_ssize_t most_protected
    cdef Sketch sketch
    cdef Ghosts ghosts
    cdef NodeRef loser
    cdef bint are_unequal
    cdef Climber climber

    cdef void use(self, Node node) noexcept
    cdef int uses_of(self, Node node) noexcept
    cdef void remember(self, Node node) noexcept
    cdef void promote(self, Node node) noexcept
    cdef void leave(self, Node node) noexcept
    cdef void stand_last(self, NodeRef head, Node node, int segment) noexcept
    cdef Node least_of_main(self)
    cdef Node least_worth(self)
    cdef bint is_admitted(self, Node candidate, Node least)
    cdef void requested(self) noexcept
    cdef void divide(self) noexcept
    cdef void settle(self) noexcept
    cdef void demote(self) noexcept
    cdef void move_to_probation(self, Node node) noexcept
    cdef void widen(self) noexcept
    cdef void make_room_to_count(self) noexcept

cdef double worth_of(Node node) noexcept
cdef Py_ssize_t remembered(Py_ssize_t capacity) noexcept
cdef Py_ssize_t hash_of(object key) noexcept
