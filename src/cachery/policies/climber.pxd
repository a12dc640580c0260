cdef double _LARGEST_WINDOW
cdef double _LONGEST_STEP
cdef double _OF_THE_LAST
cdef Py_ssize_t _LEAST_REQUESTS

cdef class Climber:
    cdef readonly Py_ssize_t window
    cdef Py_ssize_t entries
    cdef Py_ssize_t ghosts
    cdef Py_ssize_t period
    cdef Py_ssize_t requests
    cdef double regretted
    cdef double proven
    cdef double wanted

    cdef void fit(self, Py_ssize_t entries, Py_ssize_t ghosts) noexcept
    cdef void climb(self, Py_ssize_t on_probation) noexcept
    cdef void move_by(self, double amount) noexcept
