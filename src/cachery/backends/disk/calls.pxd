cdef class Calls:
    cdef readonly long count
    cdef readonly bint is_held
    cdef object gate
    cdef object guard
    cdef object __weakref__

    cdef bint may_pass(self)
    cpdef enter(self)
    cpdef void leave(self) noexcept
