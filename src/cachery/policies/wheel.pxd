from cachery.policies.node cimport Node

cdef double INFINITY
cdef int _BITS
cdef int _SLOTS
cdef int _OVER
cdef int _FIRST
cdef int _PLACE_BITS
cdef long long _PLACE
cdef int _CHUNK_BITS
cdef Py_ssize_t _CHUNK
cdef Py_ssize_t _SPARE
cdef Py_ssize_t _MOST_SPARE
cdef double TICKS
cdef double _FARTHEST
cdef long long _NEVER

cdef class Wheel:
    cdef list slots
    cdef list spare
    cdef unsigned long long[:] used
    cdef readonly int levels
    cdef readonly double next_look
    cdef long long ticked
    cdef int first_level
    cdef long long first_tick
    cdef double looked_at
    cdef Py_ssize_t left

    cdef reach(self, double when, double now)
    cdef void schedule(self, Node node, double when) noexcept
    cdef void cancel(self, Node node) noexcept
    cdef void rest(self, Node node) noexcept
    cdef bint is_over(self, Node node) noexcept
    cdef Py_ssize_t over(self) noexcept
    cdef Node last_over(self)
    cdef Node take(self, double now, Py_ssize_t patience)
    cdef void find_first(self) noexcept
    cdef Py_ssize_t place_of_one_over(self, Py_ssize_t slot, double now, Py_ssize_t patience) noexcept
    cdef void put(self, Node node, int slot) noexcept
    cdef stock(self)
    cdef Py_ssize_t waiting_in(self, Py_ssize_t slot) noexcept
    cdef Node at(self, Py_ssize_t slot, Py_ssize_t place)

cdef long long tick_of(double when) noexcept
cdef int trailing_zeros(unsigned long long bits) noexcept
