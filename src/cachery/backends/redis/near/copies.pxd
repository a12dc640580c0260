from cachery.ports.clock cimport coarse_seconds

cdef class Copy:
    cdef readonly object value
    cdef readonly bytes version
    cdef Py_ssize_t group
    cdef object tag_groups
    cdef readonly long long born
    cdef readonly double good_until
    cdef readonly double refresh_at

cdef class Marks:
    cdef readonly double good_until
    cdef long long number
    cdef long long everything
    cdef list moved
    cdef object clock
    cdef object lock

    cdef double read_clock(self)
    cdef bint is_suspect(self, Copy copy)
    cdef bint are_tags_suspect(self, Copy copy)
    cdef bint is_good(self, Copy copy)

cdef class Copies:
    cdef object near
    cdef readonly Marks marks
    cdef object get
