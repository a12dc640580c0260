cdef Py_ssize_t _BLOCK
cdef Py_ssize_t _BYTES_AN_ENTRY
cdef Py_ssize_t _REQUESTS_AN_ENTRY
cdef Py_ssize_t _MOST_AT_ONCE
cdef int _EPOCHS
cdef unsigned long long _ALL_BITS
cdef unsigned long long _FIRST_FACTOR
cdef unsigned long long _SECOND_FACTOR

cdef class Sketch:
    cdef object memory
    cdef unsigned char* cells
    cdef Py_ssize_t size
    cdef unsigned long long mask
    cdef Py_ssize_t counted
    cdef Py_ssize_t period
    cdef Py_ssize_t aged
    cdef int epoch

    cdef set_up(self, object memory, object entries)
    cdef void add(self, Py_ssize_t hashed) noexcept
    cdef void tick(self) noexcept
    cdef void add_many(self, Py_ssize_t hashed, int count) noexcept
    cdef int estimate(self, Py_ssize_t hashed) noexcept
    cdef void age(self) noexcept
    cdef grow(self, object entries)

cdef unsigned long long scrambled(Py_ssize_t hashed) noexcept
