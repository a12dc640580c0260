cdef class Calls:
    cdef readonly long count
    cdef readonly bint is_held
    cdef object guard
    cdef object __weakref__

    cpdef enter(self)
    cpdef void leave(self) noexcept
