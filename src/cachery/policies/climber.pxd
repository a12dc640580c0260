cdef double _FIRST_STEP
cdef double _DECAY
cdef double _JUMP

cdef class Climber:
    cdef readonly Py_ssize_t window
    cdef Py_ssize_t entries
    cdef Py_ssize_t largest
    cdef Py_ssize_t period
    cdef Py_ssize_t hits
    cdef Py_ssize_t requests
    cdef double step
    cdef double ratio

    cdef void climb(self) noexcept
    cdef void move_by(self, double amount) noexcept
